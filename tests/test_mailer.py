import asyncio
import gc
import logging
import time
from contextlib import nullcontext

import pytest

from authmail import (
    AccountError,
    ConfigError,
    ConnectorMetadata,
    Egress,
    Email,
    Mailer,
    Message,
    MessageRejected,
    NoAnswerInTime,
    NotSent,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    Secret,
    SendError,
    Settings,
    Template,
    TemplateError,
    hookimpl,
    setting,
    settings,
)
from authmail.connect.connector import Connector
from authmail.connect.contract import ConnectorHooks, manager_of

ALIYUN = "aliyun-direct-mail"
SIGN_IN = Message("zoe@example.com", "SignIn", {"code": "123456"})


@settings
class PlainConfig(Settings):
    key: Secret = setting("Key", default=Secret("k"))


def connector_of(send, **hooks):
    """A connector made of one send_message and, if given, other hooks."""

    class Plugin:
        @hookimpl
        def get_metadata(self):
            return ConnectorMetadata("acme-mail", "acme", {"en": "Acme"}, {"en": "x"}, settings=PlainConfig)

        @hookimpl
        def validate_config(self, config):
            return PlainConfig.from_dict(config)

    plugin = Plugin()
    for name, function in {"send_message": send, **hooks}.items():
        setattr(plugin, name, hookimpl(function))
    manager = manager_of(ConnectorHooks, [plugin])
    return Connector(manager.hook.get_metadata(), "acme", "1", manager)


TEMPLATES = [Template("SignIn", "s", "<p>{{code}}</p>")]


async def answer_of(send, message=SIGN_IN, **options):
    hooks = options.pop("hooks", {})
    async with Mailer(connector_of(send, **hooks), {}, templates=TEMPLATES, egress=Egress.ANY, **options) as mailer:
        return await mailer.send(message)


async def failure_of(send, message=SIGN_IN, **options):
    with pytest.raises(SendError) as caught:
        await answer_of(send, message, **options)
    return caught.value


async def test_sends_through_the_sandbox(mailer, sandbox):
    """The whole way: a message becomes a mail in an inbox, and a receipt."""
    receipt = await mailer.send(Message("Zoë <zoe@example.com>", "SignIn", {"code": "482913", "locale": "fr-CA"}))
    mail = await sandbox.inbox.wait(to="zoe@example.com")
    assert (mail.code, mail.subject, mail.sender) == ("482913", "482913 for SignIn", "no-reply@mail.sandbox.example")
    assert receipt.connector == ALIYUN
    assert receipt.message_id
    assert receipt.request_id


async def test_a_host_may_render_itself(mailer, sandbox):
    """An Email goes out as it is."""
    await mailer.send(Email("zoe@example.com", "Hi", html="<i>x</i>", text="x", reply_to="help@example.com"))
    mail = await sandbox.inbox.wait()
    assert (mail.subject, mail.html, mail.text, mail.reply_to) == ("Hi", "<i>x</i>", "x", "help@example.com")


async def test_test_takes_the_same_way(mailer, sandbox):
    """The admin's "Send" button: code 000000, any type."""
    await mailer.test("admin@example.com")
    assert (await sandbox.inbox.wait(to="admin@example.com")).code == "000000"
    await mailer.test("admin@example.com", type="SignIn")
    assert (await sandbox.inbox.wait(after=1)).subject == "000000 for SignIn"


async def test_preview_contacts_nobody(raw, sandbox):
    """It needs no open Mailer, and shows what send would hand over."""
    email = await Mailer(ALIYUN, raw).preview(SIGN_IN)
    assert email.html == "<p>Hello, your SignIn code is <b>123456</b>.</p>"
    assert len(sandbox.inbox) == 0
    with pytest.raises(MessageRejected):
        await Mailer(ALIYUN, raw).preview(Message("nobody", "SignIn", {"code": "1"}))


@pytest.mark.parametrize("to", ["", "nobody", "a@b.c, d@e.f", "a@b.c\r\nBcc: x@y.z"])
async def test_a_bad_recipient_is_rejected_before_anything_is_sent(mailer, sandbox, to):
    """By us, in the phase before, with reason recipient."""
    with pytest.raises(MessageRejected) as caught:
        await mailer.send(Message(to, "SignIn", {"code": "123456"}))
    assert (caught.value.reason, caught.value.phase) == (Reason.RECIPIENT, Phase.BEFORE)
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize("payload", [None, [], "x", {"locale": {}, "code": object()}, {"code": "1", "uiLocales": 7}])
async def test_a_strange_payload_is_an_outcome(mailer, payload):
    """Whatever a host puts in, the answer is a Receipt or a SendError."""
    try:
        await mailer.send(Message("zoe@example.com", "SignIn", payload))
    except SendError as error:
        assert isinstance(error, MessageRejected)


async def test_endless_lists_are_rejected(mailer):
    """A list that holds itself ends as a rejection."""
    endless = []
    endless.append(endless)
    with pytest.raises(MessageRejected, match="more than 8 levels"):
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": endless}))


async def test_templates_of_the_host_come_first(raw, sandbox):
    """Mailer(templates=…) before the config's; with them the config needs none."""
    own = [Template("SignIn", "Own {{code}}", "x", locale="fr"), Template("Notice", "News", "n")]
    del raw["templates"]
    with pytest.raises(ConfigError, match="a template for SignIn is missing"):
        Mailer(ALIYUN, raw)
    async with Mailer(ALIYUN, raw | {"endpoint": sandbox.endpoint(ALIYUN)}, templates=own, egress=Egress.ANY) as mailer:
        await mailer.send(SIGN_IN)
        await mailer.send(Message("zoe@example.com", "Notice"))
    assert [mail.subject for mail in sandbox.inbox] == ["Own 123456", "News"]


async def test_templates_may_be_a_folder(raw, tmp_path):
    """A folder is read once, when the Mailer is made."""
    (tmp_path / "SignIn.html").write_text("<title>Folder {{code}}</title>")
    assert (await Mailer(ALIYUN, raw, templates=tmp_path).preview(SIGN_IN)).subject == "Folder 123456"


async def test_default_locale(raw):
    """For readers of other languages the host's comes before the first there is."""
    own = [Template("SignIn", "en", "x", locale="en"), Template("SignIn", "de", "x", locale="de")]
    assert (await Mailer(ALIYUN, raw | {"templates": []}, templates=own, default_locale="de").preview(SIGN_IN)).subject == "de"


class Store:
    """A host's plugin with a template store."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    @hookimpl
    async def get_templates(self, type, locales, message):
        self.asked.append((type, locales, message.to))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_the_hosts_store_is_asked(raw):
    """With type and ordered locales; its templates come before all others."""
    store = Store([Template("SignIn", "Stored", "x")])
    message = Message("zoe@example.com", "SignIn", {"code": "1", "locale": "fr-CA", "uiLocales": "en"})
    assert (await Mailer(ALIYUN, raw, plugins=[store]).preview(message)).subject == "Stored"
    assert store.asked == [("SignIn", ("fr-ca", "en"), "zoe@example.com")]


async def test_a_failing_store_does_not_stop_a_sign_in(raw, caplog):
    """It is logged without its text, and the other templates serve; unless the host wants it strict."""
    store = Store(RuntimeError("password-canary"))
    assert (await Mailer(ALIYUN, raw, plugins=[store]).preview(SIGN_IN)).subject == "123456 for SignIn"
    assert "template store failed (RuntimeError)" in caplog.text
    assert "canary" not in caplog.text
    with pytest.raises(TemplateError, match="RuntimeError"):
        await Mailer(ALIYUN, raw, plugins=[store], strict_templates=True).preview(SIGN_IN)


class Observer:
    def __init__(self, fail=False):
        self.seen = []
        self.fail = fail

    @hookimpl
    def message_sent(self, message, receipt):
        self.seen.append(receipt)
        if self.fail:
            raise RuntimeError("canary")

    @hookimpl
    async def message_failed(self, message, error):
        self.seen.append(error)
        if self.fail:
            raise RuntimeError("canary")


@pytest.mark.parametrize("fail", [False, True])
async def test_observers_see_the_answer_and_never_change_it(raw, sandbox, fail):
    """Plain or async, failing or not."""
    observer = Observer(fail)
    config = raw | {"endpoint": sandbox.endpoint(ALIYUN)}
    async with Mailer(ALIYUN, config, egress=Egress.ANY, plugins=[observer]) as mailer:
        receipt = await mailer.send(SIGN_IN)
        with pytest.raises(AccountError) as caught:
            await mailer.send(Message("quota@example.com", "SignIn", {"code": "1"}))
    assert observer.seen == [receipt, caught.value]


async def test_plugins_of_one_mailer_see_nothing_of_another(raw, sandbox):
    """Each Mailer has its own plugins."""
    observer = Observer()
    config = raw | {"endpoint": sandbox.endpoint(ALIYUN)}
    async with Mailer(ALIYUN, config, egress=Egress.ANY, plugins=[observer]), Mailer(ALIYUN, config, egress=Egress.ANY) as other:
        await other.send(SIGN_IN)
    assert observer.seen == []


# What a connector does, and what becomes of it.


async def test_a_hook_names_what_it_needs():
    """Arguments go by name; the deadline is a time of the monotonic clock; a plain function will do."""

    def send(message, email, config, http, client, deadline):
        assert (message, email.html, config, client) == (SIGN_IN, "<p>123456</p>", PlainConfig(), None)
        assert 0 < deadline - time.monotonic() <= 10
        return Receipt("m")

    assert await answer_of(send) == Receipt("m", connector="acme-mail")


async def test_core_renders_only_for_those_who_ask():
    """A connector with templates at the provider gets the cleaned values, and cannot take a rendered Email."""

    async def send(message, values):
        return Receipt(message.type, detail=f"{values['user']['name']}")

    named = Message("a@b.c", "NoTemplate", {"code": "1", "user": {"name": "see https://evil.example"}})
    receipt = await answer_of(send, named)
    assert receipt.message_id == "NoTemplate"
    assert receipt.detail.startswith("see ")
    assert "https://evil.example" not in receipt.detail
    error = await failure_of(send, Email("a@b.c", "s", text="t"))
    assert isinstance(error, MessageRejected)


async def test_a_connector_may_pass_on_what_the_host_gave():
    """With `message` alone it gets a Message unrendered, its recipient checked all the same, and an Email as it is."""

    async def send(message):
        return Receipt(type(message).__name__)

    assert (await answer_of(send, Message("a@b.c", "NoTemplate"))).message_id == "Message"
    assert (await answer_of(send, Email("a@b.c", "s", html="x"))).message_id == "Email"
    assert (await failure_of(send, Message("a@b.c, d@e.f", "NoTemplate"))).reason is Reason.RECIPIENT


async def test_a_bug_before_the_request_is_not_sent():
    """Nothing went out; the type is named, the value never."""

    async def send(email, http):
        raise KeyError("canary")

    error = await failure_of(send)
    assert isinstance(error, NotSent)
    assert (error.reason, error.phase) == (Reason.CONNECTOR, Phase.BEFORE)
    assert "KeyError" in error.hint
    assert "canary" not in str(error)


async def test_a_bug_after_the_request_is_unknown(sandbox):
    """Something went out, so nobody knows."""

    async def send(email, http):
        await http.post(sandbox.endpoint(ALIYUN), body=b"x")
        raise KeyError("canary")

    assert isinstance(await failure_of(send), OutcomeUnknown)


async def test_a_bug_with_a_client_is_unknown():
    """What a client of the connector's own did, core cannot see."""

    async def send(email, client):
        raise KeyError("canary")

    assert isinstance(await failure_of(send), OutcomeUnknown)


@pytest.mark.parametrize("result", [None, "m-1", Receipt(""), {"id": "m"}])
async def test_no_receipt_is_no_success(result):
    """Only a Receipt with a message id is success."""

    async def send(email):
        return result

    assert isinstance(await failure_of(send), OutcomeUnknown)


async def test_time_ends_for_a_connector_that_ignores_it():
    """The limit holds, whatever the connector waits for; before a request it was not sent."""

    async def send(email):
        await asyncio.sleep(60)

    begun = time.monotonic()
    error = await failure_of(send, timeout=0.2)
    assert isinstance(error, NotSent)
    assert isinstance(error, TimeoutError)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(("begun", "kind"), [(None, NoAnswerInTime), (False, NotSentInTime), (True, NoAnswerInTime)])
async def test_a_connector_with_a_client_says_whether_the_mail_began_to_go_out(begun, kind):
    """So that a time-out before it is no unknown outcome; the same for a bug."""

    async def send(email, http, client):
        http.mail_begun = begun
        if email.to.address.startswith("bug"):
            raise RuntimeError("a bug")
        await asyncio.Event().wait()

    templates = [Template("Generic", "s", "{{code}}")]
    async with Mailer(connector_of(send, open_client=lambda config, http: nullcontext()), {}, templates=templates) as mailer:
        with pytest.raises(kind):
            await mailer.send(SIGN_IN, timeout=0.05)
        with pytest.raises(NotSent if begun is False else OutcomeUnknown):
            await mailer.send(Message("bug@example.com", "SignIn", {"code": "123456"}))


async def test_a_client_is_opened_once_and_closed():
    """open_client is entered with the Mailer and left with it."""
    events = []

    class Client:
        async def __aenter__(self):
            events.append("open")
            return self

        async def __aexit__(self, *_):
            events.append("close")

    async def send(email, client):
        assert isinstance(client, Client)
        return Receipt("m")

    connector = connector_of(send, open_client=lambda config, http: Client())
    async with Mailer(connector, {}, templates=TEMPLATES) as mailer:
        await mailer.send(SIGN_IN)
        await mailer.send(SIGN_IN)
        await mailer.close()
        await mailer.close()
    assert events == ["open", "close"]


async def test_a_client_that_cannot_be_opened_leaves_nothing_open():
    """Its error comes out of `async with`, and the session is closed."""

    def open_client(config, http):
        raise AccountError("no token", reason="credentials")

    mailer = Mailer(connector_of(lambda email: None, open_client=open_client), {})
    with pytest.raises(AccountError, match="acme-mail: .*no token"):
        await mailer.__aenter__()
    assert "closed" in repr(mailer)


# Life of a Mailer.


@pytest.mark.parametrize("config", [None, [], "x", 5, {}])
def test_a_config_that_is_none_is_refused_at_once(config):
    """Not at the first send."""
    with pytest.raises(ConfigError):
        Mailer(ALIYUN, config)


async def test_misuse_is_told(raw):
    """Sending with a closed Mailer, opening twice, sending something else."""
    mailer = Mailer(ALIYUN, raw)
    with pytest.raises(RuntimeError, match="not open"):
        await mailer.send(SIGN_IN)
    async with mailer:
        with pytest.raises(RuntimeError, match="open already"):
            await mailer.__aenter__()
        with pytest.raises(TypeError, match="a Message or an Email"):
            await mailer.send("zoe@example.com")


def test_two_loops_one_after_the_other(raw):
    """A Mailer can be opened again on another loop."""
    from authmail.sandbox import Sandbox
    from authmail_aliyun_dm.emulator import DirectMailEmulator

    async def run(mailer_of):
        async with Sandbox({ALIYUN: DirectMailEmulator()}, port=0) as sandbox, mailer_of(sandbox) as mailer:
            return await mailer.send(SIGN_IN)

    async def twice():
        async with Sandbox({ALIYUN: DirectMailEmulator()}) as sandbox:
            mailer = Mailer(ALIYUN, raw | {"endpoint": sandbox.endpoint(ALIYUN)}, egress=Egress.ANY)
            async with mailer:
                await mailer.send(SIGN_IN)
            async with mailer:
                await mailer.send(SIGN_IN)
            return len(sandbox.inbox)

    def mailer_of(sandbox):
        return Mailer(ALIYUN, raw | {"endpoint": sandbox.endpoint(ALIYUN)}, egress=Egress.ANY)

    assert asyncio.run(run(mailer_of)).message_id
    assert asyncio.run(run(mailer_of)).message_id
    assert asyncio.run(twice()) == 2
    gc.collect()


async def test_two_hundred_at_once(mailer, sandbox):
    """Every message gets its own answer and its own mail; no task is left."""
    before = asyncio.all_tasks()
    messages = [Message(f"user{number}@example.com", "SignIn", {"code": f"{number:06}"}) for number in range(200)]
    receipts = await asyncio.gather(*(mailer.send(message, timeout=60) for message in messages))
    assert len({receipt.message_id for receipt in receipts}) == 200
    assert {mail.to[0]: mail.subject[:6] for mail in sandbox.inbox} == {
        message.to: message.payload["code"] for message in messages
    }
    await asyncio.sleep(0.05)
    assert {task for task in asyncio.all_tasks() - before if "send" in repr(task)} == set()


async def test_cancelling_passes_through(mailer):
    """A cancelled send is cancelled, not an outcome; asyncio.timeout around it works."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await mailer.send(Message("lost@example.com", "OrganizationInvitation", {"code": "1"}))
    task = asyncio.create_task(mailer.send(Message("timeout@example.com", "SignIn", {"code": "1"})))
    await asyncio.sleep(0.2)
    task.cancel("shutdown")
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_hosts_session_is_used_and_stays_open(raw, sandbox):
    """It keeps to the policy that made it, and several Mailers may share it."""
    async with Egress.ANY.session() as session:
        async with Mailer(ALIYUN, raw | {"endpoint": sandbox.endpoint(ALIYUN)}, session=session, egress=Egress.ANY) as mailer:
            await mailer.send(SIGN_IN)
        assert not session.closed
    assert len(sandbox.inbox) == 1


async def test_logs_say_what_happened_and_not_what_was_said(mailer, caplog):
    """At DEBUG: outcome and ids."""
    with caplog.at_level(logging.DEBUG, "authmail"):
        receipt = await mailer.send(SIGN_IN)
        with pytest.raises(SendError):
            await mailer.send(Message("quota@example.com", "SignIn", {"code": "123456"}))
    assert receipt.message_id in caplog.text
    assert "account quota" in caplog.text
    assert "123456" not in caplog.text


class _Store:
    @hookimpl
    def get_templates(self, type):
        return [Template(type, "{{code}}", "<p>Hello, {{code}}</p>")]


@pytest.mark.parametrize("options", [{"templates": []}, {"plugins": [_Store()]}])
async def test_a_config_needs_no_templates_where_the_host_has_the_mails(sandbox, options):
    """A host that renders itself says so by an empty list, one with a store by its hook."""
    config = sandbox.config(ALIYUN)
    async with Mailer(ALIYUN, config, egress=Egress.ANY, **options) as mailer:
        await mailer.send(Email("zoe@example.com", "123456", html="<p>Hello, 123456</p>"))
    with pytest.raises(ConfigError, match="a template for SignIn is missing"):
        Mailer(ALIYUN, config)
