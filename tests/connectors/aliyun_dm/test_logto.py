"""Every captured case of Logto's Direct Mail connector, met or different on purpose: docs/differences-from-logto.md."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from logto_cases import email_of

from authmail import (
    AccountError,
    ConfigError,
    Egress,
    Mailer,
    Message,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Receipt,
    SendError,
)
from authmail.outcomes import ConnectionCut
from authmail.testing.fault_server import FaultServer, request
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import single_send_mail
from authmail_aliyun_dm.signing import sign_v1

ALIYUN = "aliyun-direct-mail"
NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
NONCE = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def cases(vectors):
    return lambda name: [case for case in vectors(f"logto/{name}")["cases"] if case["connector"] == "aliyun-dm"]


def test_every_config_is_accepted_or_refused_alike(cases, aliyun):
    """The very same paths have a problem; there is no difference."""
    found = cases("config_validation")
    assert len(found) == 22
    for case in found:
        paths = []
        try:
            aliyun.validate_config(case["config"])
        except ConfigError as error:
            paths = [problem.path.replace("[", ".").replace("]", "") for problem in error.problems]
        assert paths == [issue["path"] for issue in case.get("issues", [])], case["label"]


#: Of every request: we send no tracking, and spell the format as the documentation does; so the signature differs, too.
ALWAYS = {"ClickTrace": "0", "Format": "JSON"}
#: Case → field → what we send instead; None if we do not send it.
DIFFERENT_FIELDS = {
    "wire-aliyun-dm-05-special-chars": {
        "Subject": "Generic code $& <b>\"'+% ~*()!é🎉 Bcc: x@y.z",  # no line breaks in a header
        "HtmlBody": "<p>Generic: <b>$&amp; &lt;b&gt;&quot;&#x27;+% ~*()!é🎉\r\nBcc: x@y.z</b></p>",  # escaped
        "ToAddress": "o'brien+tag@xn--r8jz45g.jp",  # the form that mail servers know
    },
    "wire-aliyun-dm-07-i18n-plain-nameonly": {
        "HtmlBody": None,  # a text template is text
        "TextBody": 'Code 111111 for Zoë "Z" 太郎',
        "ReplyAddress": "help@example.com",  # replyTo counts
    },
    "wire-aliyun-dm-11-i18n-missing-context": {
        "FromAlias": "Acme",  # nobody is shown a placeholder
        "HtmlBody": "<h1></h1><p>123456</p>",
        "ReplyAddress": "help@example.com",
        "ReplyAddressAlias": "Support",
    },
}


async def test_every_request_is_the_same(cases):
    """Address and fields, but for those named above."""
    found = cases("wire_http")
    assert len(found) == 9
    for case in found:
        (captured,) = case["requests"]
        email = await email_of(ALIYUN, case)
        config = AliyunDMConfig.from_dict(case["config"] | {"signature": "v1"})
        ours = single_send_mail(email, config, nonce=NONCE, now=NOW)
        theirs = dict(parse_qsl(captured["body"], keep_blank_values=True))
        sent = dict(parse_qsl(ours.body.decode(), keep_blank_values=True))
        assert (captured["method"], captured["url"]) == ("POST", ours.url)
        kinds = {name.lower(): value for name, value in captured["headers"]}
        assert kinds["content-type"] == {name.lower(): value for name, value in ours.headers.items()}["content-type"]
        assert sent.pop("Signature") != theirs.pop("Signature")
        different = {key: sent.get(key) for key in sent.keys() | theirs.keys() if sent.get(key) != theirs.get(key)}
        assert different == ALWAYS | DIFFERENT_FIELDS.get(case["id"], {}), case["id"]


def test_every_signature_is_the_same(cases):
    """Over the same fields we sign the same."""
    for case in cases("wire_http"):
        theirs = dict(parse_qsl(case["requests"][0]["body"], keep_blank_values=True))
        signature = theirs.pop("Signature")
        assert sign_v1("POST", theirs, case["config"]["accessKeySecret"]) == signature, case["id"]


#: Case → what we raise where Logto's connector raises `general` or `invalid_response`, or lets the client's error through.
OUTCOMES = {
    "outcome-aliyun-dm-03": OutcomeUnknown,  # a 200 that cannot be read
    "outcome-aliyun-dm-05": OutcomeUnknown,
    "outcome-aliyun-dm-07": AccountError,  # SignatureDoesNotMatch
    "outcome-aliyun-dm-09": MessageRejected,  # a 400 that is not Direct Mail's was accepted by nobody
    "outcome-aliyun-dm-11": NotSent,  # ServiceUnavailable
    "outcome-aliyun-dm-13": ConnectionCut,
}
#: Logto's connector asks once; after no answer we send the same request once more.
ASKED_TWICE = {"outcome-aliyun-dm-13"}


async def test_every_answer_is_understood(cases, raw):
    """Over a real connection: success is the same Receipt, every failure has an outcome of its own."""
    found = cases("provider_outcomes")
    assert len(found) == 8
    for case in found:
        response = case["response"]
        steps = [request]
        if not response.get("destroy"):
            body = response["body"].encode()
            headers = "".join(f"{name}: {value}\r\n" for name, value in response.get("headers", {}).items())
            steps.append(f"HTTP/1.1 {response['status']} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        kind = "SomethingNew" if "unknown message type" in case.get("note", "") else "SignIn"
        result = error = None
        async with FaultServer(steps) as server:
            async with Mailer(ALIYUN, raw | {"endpoint": server.url}, egress=Egress.ANY) as mailer:
                try:
                    result = await mailer.send(Message("user@example.com", kind, {"code": "123456"}))
                except SendError as raised:
                    error = raised
            await server.left()
        assert len(server.requests) == case["request_count"] + (case["id"] in ASKED_TWICE), case["id"]
        if case["outcome"]["ok"]:
            returned = case["outcome"]["returned"]
            assert result == Receipt(returned["EnvId"], returned["RequestId"], connector=ALIYUN)
        else:
            assert type(error) is OUTCOMES[case["id"]], case["id"]
            assert error.code == (case["outcome"]["error"]["data"] or {}).get("Code")
