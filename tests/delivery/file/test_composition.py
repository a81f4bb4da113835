import asyncio
import json
import tomllib
import traceback

import jsonschema
import pytest

import authmail
from authmail import ConfigError, Message, References
from authmail.delivery import compose, file_schema
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

FILE = """
templates = "templates"
defaultLocale = "en"
store = "authmail.db"
storeSecret = { env = "AUTHMAIL_STORE" }

[senders.china]
connector = "aliyun-dm"
[senders.china.config]
accessKeyId = "sandbox-access-key"
accessKeySecret = { env = "AUTHMAIL_ALIYUN" }
accountName = "no-reply@mail.sandbox.example"
endpoint = "CHINA"

[senders.spare]
connector = "aliyun-direct-mail"
[senders.spare.config]
accessKeyId = "sandbox-access-key"
accessKeySecret = "sandbox-secret"
accountName = "no-reply@mail.sandbox.example"
endpoint = "SPARE"

[delivery]
order = ["spare", "china"]
timeout = 5
attempts = 2
onUnknown = { OrganizationInvitation = "stop" }

[limits]
recipient = { most = 2, seconds = 600 }

[[routes]]
name = "china"
domains = ["qq.com", "*.cn"]
senders = ["china"]
"""


@pytest.fixture
async def providers():
    """Two real Direct Mails on loopback."""
    async with Sandbox({"a": DirectMailEmulator()}) as china, Sandbox({"a": DirectMailEmulator()}) as spare:
        yield china, spare


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with templates, and the secrets that the file refers to."""
    (tmp_path / "templates" / "en").mkdir(parents=True)
    (tmp_path / "templates" / "en" / "Generic.html").write_text("<title>{{code}} is your code</title><p>Hello, {{code}}.</p>")
    monkeypatch.setenv("AUTHMAIL_STORE", "a secret of sixteen characters or more")
    monkeypatch.setenv("AUTHMAIL_ALIYUN", "sandbox-secret")
    return tmp_path


def written(folder, text):
    path = folder / "authmail.toml"
    path.write_text(text, "utf-8")
    return path


def problems(folder, text, **options):
    """Return the problems of a file as path → message."""
    with pytest.raises(ConfigError) as caught:
        authmail.load(written(folder, text), **options)
    return {problem.path: f"{problem.message} {problem.hint}" for problem in caught.value.problems}


async def test_an_operator_writes_no_code(folder, providers):
    """One line gives the host everything: order, route, limits, repeats, a store in a file."""
    china, spare = providers
    text = FILE.replace("CHINA", china.endpoint("a")).replace("SPARE", spare.endpoint("a"))
    async with authmail.load(written(folder, text)) as delivery:
        for to in ("zoe@example.com", "wei@qq.com", "wei@mail.cn"):
            await delivery.send(Message(to, "SignIn", {"code": "123456"}))
        await delivery.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
        await delivery.send(Message("zoe@example.com", "SignIn", {"code": "654321"}))
        with pytest.raises(authmail.Limited):
            await delivery.send(Message("zoe@example.com", "SignIn", {"code": "111111"}))
    assert [[mail.to[0] for mail in sandbox.inbox] for sandbox in providers] == [
        ["wei@qq.com", "wei@mail.cn"],
        ["zoe@example.com", "zoe@example.com"],
    ]
    assert (folder / "authmail.db").exists()
    async with authmail.load(folder / "authmail.toml") as later:
        with pytest.raises(authmail.Limited):
            await later.send(Message("zoe@example.com", "SignIn", {"code": "222222"}))


def test_the_shortest_file_is_one_sender(folder):
    """Everything else has a default; JSON serves as well as TOML."""
    sender = {"connector": "aliyun-dm", "config": {"accessKeyId": "a", "accessKeySecret": "b", "accountName": "c@d.example"}}
    path = folder / "authmail.json"
    path.write_text(json.dumps({"senders": {"only": sender}, "templates": "templates"}))
    assert authmail.load(path)
    path.write_text("[1]")
    with pytest.raises(ConfigError, match=r"authmail\.json must hold an object"):
        authmail.load(path)


def test_every_problem_is_told_at_once_with_its_place(folder):
    """Of the file, its senders and their connectors."""
    found = problems(
        folder,
        FILE.replace('accountName = "no-reply@mail.sandbox.example"\nendpoint = "SPARE"', 'regionId = "cn-hangzho"')
        .replace("timeout = 5", "timeout = 0")
        .replace("attempts = 2", "atempts = 2")
        .replace("most = 2", 'most = "two"')
        .replace('"stop"', '"halt"'),
    )
    assert "did you mean attempts" in found["delivery.atempts"]
    assert "between 0.1 and 600" in found["delivery.timeout"]
    assert "whole number" in found["limits.recipient.most"]
    assert "must be one of resend, stop" in found["delivery.onUnknown.OrganizationInvitation"]
    assert "is required" in found["senders.spare.config.accountName"]
    assert "did you mean cn-hangzhou" in found["senders.spare.config.regionId"]
    assert "must be a host" not in found
    assert len(found) == 6, found


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (('order = ["spare", "china"]', 'order = ["spair"]'), "delivery.order[0]", "senders here: china, spare"),
        (('senders = ["china"]', 'senders = ["chinna"]'), "routes[0].senders[0]", "is not the name of a sender"),
        (('senders = ["china"]', "senders = []"), "routes[0].senders", "must not be empty"),
        (('connector = "aliyun-dm"', 'connector = "nope"'), "senders.china.connector", "nope"),
        (('env = "AUTHMAIL_ALIYUN"', 'env = "PATH"'), "senders.china.config.accessKeySecret", "cannot be read"),
        (('env = "AUTHMAIL_STORE"', 'env = "AUTHMAIL_NOPE"'), "storeSecret", "cannot be read"),
        (('templates = "templates"', 'templates = "nowhere"'), "templates", "is not a folder"),
        (('templates = "templates"', f'templates = "{"x" * 5000}"'), "templates", "is not a folder"),
        (('templates = "templates"', 'templates = "authmail.toml"'), "templates", "is not a folder"),
        (("[limits]", "[limit]"), "limit", "did you mean limits"),
    ],
)
def test_each_kind_of_mistake_says_what_to_do(folder, change, path, words):
    """With the path as the operator wrote it."""
    found = problems(folder, FILE.replace(*change))
    assert words in found[path], found


def test_a_folder_that_cannot_be_used_is_one_problem(folder):
    """That the senders have no templates of their own follows from it."""
    assert set(problems(folder, FILE.replace('templates = "templates"', 'templates = "nowhere"'))) == {"templates"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[senders", "cannot be read as TOML"),
        ("{", "line 1: the end of the file, though something is still open"),
        ("", "is required"),
        ("senders = {}", "must not be empty"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ('{"a": ' * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_none_is_told(folder, text, words):
    """With line and column where there are some, and no text of the file."""
    assert words in " ".join(problems(folder, text).values())


def test_a_short_store_secret_is_refused(folder, monkeypatch):
    """The store's hashes would protect nothing."""
    monkeypatch.setenv("AUTHMAIL_STORE", "short")
    assert "16 characters" in problems(folder, FILE)["storeSecret"]


def test_references_are_the_callers_to_allow(folder):
    """A host may allow fewer."""
    found = problems(folder, FILE, references=References(env=("OTHER_*",)))
    assert set(found) == {"storeSecret", "senders.china.config.accessKeySecret"}


@pytest.mark.parametrize("change", [("timeout = 5", "timeout = 0"), ('accountName = "no-reply@mail.sandbox.example"', "")])
def test_no_secret_shows_in_an_error(folder, change):
    """Neither in its text nor in the local variables of its traceback."""
    path = written(folder, FILE.replace("sandbox-secret", "SECRET-CANARY").replace(*change))
    with pytest.raises(ConfigError) as caught:
        authmail.load(path)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "SECRET-CANARY" not in shown


def test_the_schema_accepts_what_loads_and_refuses_what_does_not(folder):
    """For editors; the settings of every installed connector are in it, and secrets may be references."""
    validator = jsonschema.Draft202012Validator(file_schema())
    validator.check_schema(validator.schema)
    right = tomllib.loads(FILE)
    right["senders"]["china"]["config"]["endpoint"] = right["senders"]["spare"]["config"]["endpoint"] = "api.example.com"
    assert list(validator.iter_errors(right)) == []
    for change in (
        lambda file: file.pop("senders"),
        lambda file: file["senders"]["china"].pop("connector"),
        lambda file: file["senders"]["china"]["config"].pop("accountName"),
        lambda file: file["senders"]["china"]["config"].update(accessKeySecret={"vault": "x"}),
        lambda file: file["delivery"].update(timeout=0),
        lambda file: file["limits"]["recipient"].pop("most"),
        lambda file: file["delivery"].update(onUnknown={"SignIn": "halt"}),
        lambda file: file.update(limit={}),
        lambda file: file["delivery"].update(atempts=2),
        lambda file: file["limits"].update(recipents={"most": 1, "seconds": 1}),
        lambda file: file["senders"]["china"].update(order=1),
        lambda file: file.update(senders={}),
    ):
        wrong = tomllib.loads(FILE)
        change(wrong)
        assert list(validator.iter_errors(wrong)), wrong


async def test_what_the_file_and_its_caller_say_holds(folder, providers):
    """Answers are kept in the file's store, limits can be turned off, plugins hear, egress is obeyed."""
    china, spare = providers
    heard = []

    class Listener:
        @authmail.hookimpl
        def message_sent(self, receipt):
            heard.append(receipt)

    text = FILE.replace("CHINA", china.endpoint("a")).replace("SPARE", spare.endpoint("a"))
    path = written(folder, text.replace("recipient = { most = 2, seconds = 600 }", "enabled = false"))
    message = Message("zoe@example.com", "SignIn", {"code": "123456"}, idempotency_key="k")
    for _ in range(2):
        async with authmail.load(path, plugins=[Listener()]) as delivery:
            await delivery.send(message)
            for _ in range(6):
                await delivery.test("zoe@example.com")
    assert len(spare.inbox) == 13
    assert heard[0] == heard[7]
    async with authmail.load(path, egress=authmail.Egress.PUBLIC) as delivery:
        with pytest.raises(authmail.AccountError) as caught:
            await delivery.test("amy@example.com")
    assert caught.value.reason == "endpoint"


async def test_keep_and_hold_are_the_files(folder, providers):
    """In seconds."""
    china, spare = providers
    text = FILE.replace("CHINA", china.endpoint("a")).replace("SPARE", spare.endpoint("a"))
    delivery = authmail.load(written(folder, text.replace("attempts = 2", "keep = 7\nhold = 3")))
    for key, decision in (("k", "get the first answer for 7 s"), (None, "get the first answer for 3 s")):
        steps = await delivery.explain(Message("zoe@example.com", "SignIn", {"code": "1"}, idempotency_key=key))
        assert next(step for step in steps if step.what == "repeats").decision == decision


def test_a_file_without_routes_has_none(folder):
    """Nothing is said of a route that nobody wrote."""
    text = FILE.partition("[[routes]]")[0].replace("CHINA", "a.example.com").replace("SPARE", "b.example.com")
    steps = asyncio.run(authmail.load(written(folder, text)).explain(Message("a@b.co", "SignIn", {"code": "1"})))
    assert [step.what for step in steps] == [
        "deadline",
        "repeats",
        "limit per recipient",
        "attempts",
        "unknown outcome",
        "senders",
        "pace",
        "template",
    ]


RESEND = {"apiKey": "re_1", "from": "a@mail.example.com"}
TYPES = ("SignIn", "Register", "ForgotPassword", "Generic")


@pytest.mark.parametrize(
    ("settings", "decision"),
    [
        ({}, "2 messages a second"),  # what Resend publishes
        ({"pace": {"rate": 14, "burst": 5}}, "14 messages a second, 5 at once"),
        ({"pace": {"enabled": False}}, None),
    ],
)
async def test_a_sender_has_the_pace_of_its_provider(tmp_path, settings, decision):
    """Unless the file says otherwise; explain shows it."""
    templates = [{"usageType": kind, "subject": "s", "content": "c"} for kind in TYPES]
    sender = {"connector": "resend-mail", "config": RESEND | {"templates": templates}} | settings
    delivery = compose({"senders": {"resend": sender}}, tmp_path)
    steps = await delivery.explain(Message("zoe@example.com", "SignIn", {"code": "123456"}))
    assert [step.decision for step in steps if step.what == "pace"] == ([decision] if decision else [])
