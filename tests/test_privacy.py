"""Canaries: known secrets, codes and links go through every path, and are looked for wherever something comes out."""

import asyncio
import logging
import pickle
import traceback

import pytest

import authmail
from authmail import ConfigError, Egress, Mailer, Message, SendError
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import FAULTS, DirectMailEmulator

ALIYUN = "aliyun-direct-mail"
SECRET, TOKEN, CODE, LINK = "s3cret-CANARY", "st5-CANARY", "739154", "https://link-canary.example/join?t=Qx7"
CANARIES = (SECRET, TOKEN, CODE, LINK, "link-canary", "CANARY")
TEMPLATES = [
    {"usageType": name, "subject": "{{code}} is it", "content": '<p>{{code}} <a href="{{link}}">x</a></p>'}
    for name in ("SignIn", "Register", "ForgotPassword", "Generic")
]
CONFIG = {"accessKeyId": "key", "accessKeySecret": SECRET, "securityToken": TOKEN, "accountName": "a@b.c", "templates": TEMPLATES}


def locals_of(error):
    """Everything an error tracker would send: reprs of the local variables of every frame below this test's."""
    seen = []
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "/tests/" not in frame.f_code.co_filename:
                seen += [repr(value) for value in frame.f_locals.values()]
                seen += [repr(vars(value)) for value in frame.f_locals.values() if isinstance(value, BaseException)]
        error = error.__cause__ or error.__context__
    return seen


def assert_silent(error, log):
    texts = [str(error), repr(error), repr(error.args), "".join(traceback.format_exception(error)), log, *locals_of(error)]
    texts.append(repr(error.to_dict()) if isinstance(error, SendError) else "")
    texts.append(pickle.dumps(error).decode("latin-1"))
    found = {canary for canary in CANARIES for text in texts if canary in text}
    assert found == set()


@pytest.fixture
async def sandbox():
    async with Sandbox(
        {ALIYUN: DirectMailEmulator(access_keys={"key": SECRET}, senders=("a@b.c",), security_token=TOKEN)}
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def everything_logged(caplog):
    caplog.set_level(logging.DEBUG)


async def failure(config, message, **options):
    async with Mailer(ALIYUN, config, egress=options.pop("egress", Egress.ANY), **options) as mailer:
        with pytest.raises(SendError) as caught:
            await mailer.send(message, timeout=0.6)
    return caught.value


OUTCOMES = [name for name in FAULTS if name not in ("lost", "slow")]


@pytest.mark.parametrize("signature", ["v3", "v1"])
@pytest.mark.parametrize("recipient", OUTCOMES)
async def test_no_outcome_tells(sandbox, caplog, recipient, signature):
    """Every fault of the provider, with a code and a link in the mail."""
    config = CONFIG | {"endpoint": sandbox.endpoint(ALIYUN), "signature": signature}
    error = await failure(config, Message(f"{recipient}@x.y", "SignIn", {"code": CODE, "link": LINK}))
    assert_silent(error, caplog.text)


async def test_success_tells_nothing(sandbox, caplog):
    """Neither receipt, Mailer, config nor message show anything."""
    connector = authmail.get_connector(ALIYUN)
    config = connector.validate_config(CONFIG | {"endpoint": sandbox.endpoint(ALIYUN)})
    message = Message("zoe@example.com", "SignIn", {"code": CODE, "link": LINK})
    async with Mailer(connector, config, egress=Egress.ANY) as mailer:
        receipt = await mailer.send(message)
        email = await mailer.preview(message)
        shown = [repr(value) for value in (receipt, mailer, config, message, email, connector)]
    assert not [text for text in (*shown, caplog.text) for canary in CANARIES if canary in text]


@pytest.mark.parametrize("signature", ["v3", "v1"])
async def test_an_echoed_request_is_cut(sandbox, caplog, signature):
    """A signature error of the gateway repeats the whole request; none of it comes out."""
    config = CONFIG | {"endpoint": sandbox.endpoint(ALIYUN), "accessKeySecret": f"wrong-{SECRET}", "signature": signature}
    error = await failure(config, Message("zoe@example.com", "SignIn", {"code": CODE, "link": LINK}))
    assert error.code == "SignatureDoesNotMatch"
    assert error.detail == "Specified signature is not matched with our calculation"
    assert_silent(error, caplog.text)


async def echo_everything(reader, writer):
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    body = (await reader.readexactly(length)).decode()
    answer = (
        f'{{"Code": "Odd", "RequestId": "{body[-80:]}", "Message": "no: {CODE} {LINK} {SECRET} {TOKEN} {body[:200]}"}}'.encode()
    )
    writer.write(b"HTTP/1.1 400 X\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
    await writer.drain()
    writer.close()


async def test_a_broken_proxy_that_echoes_is_struck_out(caplog):
    """Whatever an answer repeats of code, link and secrets is struck from message, code and request id."""
    server = await asyncio.start_server(echo_everything, "127.0.0.1", 0)
    config = CONFIG | {"endpoint": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    error = await failure(config, Message("zoe@example.com", "SignIn", {"code": CODE, "link": LINK}))
    server.close()
    assert "***" in error.detail
    assert_silent(error, caplog.text)


@pytest.mark.parametrize(
    ("config", "message", "egress"),
    [
        ({"endpoint": "https://nowhere.invalid"}, {"code": CODE, "link": LINK}, Egress.PUBLIC),
        ({"endpoint": "https://127.0.0.1:1"}, {"code": CODE, "link": LINK}, Egress.PUBLIC),
        ({"endpoint": "http://127.0.0.1:1"}, {"code": CODE, "link": LINK}, Egress.ANY),
        ({}, {"link": LINK, "token": TOKEN}, Egress.PUBLIC),
        ({}, {"code": [CODE, object()], "link": LINK, "locale": object()}, Egress.PUBLIC),
    ],
)
async def test_no_failure_before_sending_tells(caplog, config, message, egress):
    """Name, egress, connection and rendering."""
    error = await failure(
        CONFIG | {"endpoint": "https://nowhere.invalid"} | config, Message("zoe@example.com", "SignIn", message), egress=egress
    )
    assert_silent(error, caplog.text)


@pytest.mark.parametrize(
    "change",
    [
        {"accountName": 5},
        {"securityToken": [TOKEN]},
        {"accessKeySecret": {"env": SECRET}},
        {"regionId": SECRET},
        {"templates": [SECRET]},
        {"endpoint": f"x {SECRET}"},
    ],
)
def test_no_invalid_config_tells(caplog, change):
    """Through the connector, the Mailer, the settings class and merge."""
    connector = authmail.get_connector(ALIYUN)
    for refuse in (
        connector.validate_config,
        lambda raw: Mailer(connector, raw),
        lambda raw: connector.validate_config(raw, references=authmail.References()),
    ):
        with pytest.raises(ConfigError) as caught:
            refuse(CONFIG | change)
        assert_silent(caught.value, caplog.text)
    with pytest.raises(ConfigError) as caught:
        connector.merge(CONFIG, CONFIG | {"accessKeySecret": "***", "endpoint": "evil.example"})
    assert_silent(caught.value, caplog.text)
    assert not [problem for problem in connector.warnings(CONFIG | {"accessKeySecrt": SECRET}) if SECRET in str(problem)]


async def test_a_cancelled_send_leaves_no_frames(sandbox):
    """The error of a time limit around send shows no frame of ours with the request in it."""
    config = CONFIG | {"endpoint": sandbox.endpoint(ALIYUN), "replayOnTimeout": False}
    async with Mailer(ALIYUN, config, egress=Egress.ANY) as mailer:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.3):
                await mailer.send(Message("timeout@x.y", "SignIn", {"code": CODE, "link": LINK}))
    texts = locals_of(caught.value)
    assert not [text for text in texts for canary in CANARIES if canary in text]


async def test_a_debug_switch_shows_the_cause(sandbox):
    """Who asks for it gets the frames inside."""
    config = CONFIG | {"endpoint": "https://nowhere.invalid"}
    message = Message("zoe@example.com", "SignIn", {"code": CODE, "link": LINK})
    quiet = await failure(config, message)
    loud = await failure(config, message, debug=True)
    assert len(list(traceback.walk_tb(loud.__traceback__))) > len(list(traceback.walk_tb(quiet.__traceback__)))
    assert quiet.__cause__ is quiet.__context__ is None
