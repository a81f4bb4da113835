"""The recipes of docs/delivery.md send mail."""

import re
import tomllib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import jsonschema
import pytest

import authmail
from authmail import Egress, Message, References
from authmail.delivery import compose, file_schema
from authmail.sandbox import Sandbox

PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"
RECIPES = {
    title: tomllib.loads(block)
    for title, block in re.findall(
        r"^#{2,3} ([^\n]+)\n(?:(?!^#).)*?```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
}


@pytest.fixture
def templates(tmp_path):
    """A folder of templates beside the file."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "Generic.html").write_text("<title>{{code}} is your code</title><p>Hello, {{code}}.</p>")
    (tmp_path / "templates" / "OrganizationInvitation.html").write_text('<title>Join</title><a href="{{link}}">Join</a>')
    return tmp_path


@pytest.fixture
async def recipe(request, templates, monkeypatch):
    """A recipe whose accounts are sandboxes: only the credentials are swapped."""
    raw = RECIPES[request.param]
    monkeypatch.setenv("AUTHMAIL_ALIYUN_SECRET", "unused")
    monkeypatch.setenv("AUTHMAIL_RESEND_KEY", "unused")
    async with AsyncExitStack() as stack:
        inboxes = {}
        senders = {}
        for name, sender in raw["senders"].items():
            connector = authmail.get_connector(sender["connector"])
            sandbox = await stack.enter_async_context(Sandbox({"account": connector.get_emulator()}))
            inboxes[name], senders[name] = sandbox.inbox, {**sender, "config": sandbox.config("account")}
        delivery = compose({**raw, "senders": senders}, templates, egress=Egress.ANY, references=References())
        yield await stack.enter_async_context(delivery), inboxes


def code(to="zoe@example.com", **payload):
    return Message(to, "SignIn", {"code": "123456", **payload})


def test_every_recipe_is_there():
    """The page's titles are the tests' parameters."""
    assert list(RECIPES) == [
        "From a file",
        "One provider",
        "Two providers",
        "Routes for the EU and China",
        "Strict invitations, generous codes",
        "Limits before anything is public",
        "Many machines",
        "Somebody is told",
    ]


@pytest.mark.parametrize("title", RECIPES)
def test_recipes_are_valid_as_they_stand(title, templates, monkeypatch):
    """For authmail, and for an editor with the schema."""
    monkeypatch.setenv("AUTHMAIL_ALIYUN_SECRET", "secret")
    monkeypatch.setenv("AUTHMAIL_RESEND_KEY", "re_123456789")
    monkeypatch.setenv("AUTHMAIL_STORE", "redis://user:password@redis.internal:6379/0")
    monkeypatch.setenv("AUTHMAIL_STORE_SECRET", "a secret of sixteen or more")
    (templates / "resend").write_text("re_123456789")
    raw = RECIPES[title]
    assert list(jsonschema.Draft202012Validator(file_schema()).iter_errors(raw)) == []
    compose(_with_files_in(raw, templates), templates, references=References(files=(templates,)))


def _with_files_in(value, folder):
    """Let references to files lead into a folder."""
    if isinstance(value, Mapping):
        return {
            key: str(folder / Path(item).name) if key == "file" and isinstance(item, str) else _with_files_in(item, folder)
            for key, item in value.items()
        }
    return [_with_files_in(item, folder) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("recipe", ["One provider"], indirect=True)
async def test_one_provider(recipe):
    """A double click is one mail."""
    delivery, inboxes = recipe
    assert await delivery.send(code()) == await delivery.send(code())
    assert len(inboxes["main"]) == 1


@pytest.mark.parametrize("recipe", ["Two providers", "From a file"], indirect=True)
async def test_two_providers(recipe):
    """What the first one cannot take goes to the second, of another kind."""
    delivery, inboxes = recipe
    receipt = await delivery.send(code("insufficientbalance@example.com"))
    assert receipt.connector == "resend-mail"
    assert [len(inbox) for inbox in inboxes.values()] == [0, 1]


@pytest.mark.parametrize("recipe", ["Routes for the EU and China"], indirect=True)
async def test_routes(recipe):
    """Each message by the first rule that fits."""
    delivery, inboxes = recipe
    for to, payload in (
        ("1@qq.com", {}),
        ("2@mail.tsinghua.cn", {}),
        ("3@example.com", {"locale": "zh-CN"}),
        ("4@example.com", {"organization": {"id": "org-eu-1"}}),
        ("5@example.com", {"locale": "fr"}),
    ):
        await delivery.send(code(to, **payload))
    assert {name: [mail.to[0][0] for mail in inbox] for name, inbox in inboxes.items()} == {
        "china": ["1", "2", "3"],
        "eu": ["4"],
        "world": ["5"],
    }


@pytest.mark.parametrize("recipe", ["Strict invitations, generous codes"], indirect=True)
async def test_strict_invitations(recipe):
    """The answer is cut after the mail was taken: a code goes out again, an invitation does not."""
    delivery, inboxes = recipe
    with pytest.raises(authmail.OutcomeUnknown):
        await delivery.send(
            Message("cut-after@example.com", "OrganizationInvitation", {"link": "https://example.com/i"}), timeout=3
        )
    assert len(inboxes["main"]) == 1
    with pytest.raises(authmail.OutcomeUnknown) as caught:
        await delivery.send(code("cut-after@example.com"), timeout=3)
    assert len(caught.value.tried) > 1
    assert len(inboxes["main"]) > 2


@pytest.mark.parametrize("recipe", ["Limits before anything is public"], indirect=True)
async def test_limits(recipe):
    """Five to one person."""
    delivery, inboxes = recipe
    for number in range(5):
        await delivery.send(Message("zoe@example.com", "SignIn", {"code": f"{number:06}"}, ip="192.0.2.1"))
    with pytest.raises(authmail.Limited) as caught:
        await delivery.send(Message("zoe@example.com", "SignIn", {"code": "999999"}, ip="192.0.2.1"))
    assert 590 < caught.value.retry_after <= 600
    assert len(inboxes["main"]) == 5


@pytest.mark.parametrize("server", ["redis", "postgres"])
async def test_many_machines(server, request, templates, monkeypatch):
    """A double click that reaches two of them is one mail."""
    monkeypatch.setenv("AUTHMAIL_STORE", request.getfixturevalue(f"{server}_server").url)
    monkeypatch.setenv("AUTHMAIL_STORE_SECRET", "a secret of sixteen or more")
    raw = RECIPES["Many machines"]
    async with Sandbox({"account": authmail.get_connector("aliyun-dm").get_emulator()}) as sandbox:
        senders = {"main": {**raw["senders"]["main"], "config": sandbox.config("account")}}
        one, two = (compose({**raw, "senders": senders}, templates, egress=Egress.ANY, references=References()) for _ in range(2))
        async with one, two:
            assert await one.send(code(), timeout=60) == await two.send(code(), timeout=60)
        assert len(sandbox.inbox) == 1


@pytest.mark.parametrize("recipe", ["Somebody is told"], indirect=True)
async def test_somebody_is_told(recipe):
    """The other sender mails of the one that fails, and the person has the code all the same."""
    delivery, inboxes = recipe
    await delivery.send(code("insufficientbalance@example.com"))
    mail = await inboxes["spare"].wait(to="ops@example.com")
    assert mail.subject == "Mail alert, main: the account or its settings are refused"
    assert len(inboxes["spare"]) == 2
