"""The emulator must not agree with ourselves alone: the official SDK uses it, and captured requests of SDKs replay."""

import asyncio
import json
import warnings
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import FAULTS, DirectMailEmulator
from authmail_aliyun_dm.signing import sign_v1, string_to_sign_v1

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's own parts warn of each other when they are imported
    from alibabacloud_dm20151123.client import Client
    from alibabacloud_dm20151123.models import DescAccountSummaryRequest, QueryMailAddressByParamRequest, SingleSendMailRequest
    from alibabacloud_tea_openapi.exceptions import ClientException, ThrottlingException
    from alibabacloud_tea_openapi.models import Config
    from darabonba.core import DaraCore
    from darabonba.exceptions import UnretryableException

# The SDK calls what newer Pythons declare as old.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:(alibabacloud|darabonba|Tea)")

ALIYUN = "aliyun-direct-mail"


@pytest.fixture(scope="module", autouse=True)
def _connections_of_the_sdk():
    """It keeps them for as long as the process runs."""
    yield
    while DaraCore._sessions:
        DaraCore._sessions.popitem()[1].close()


def sdk(sandbox, **change):
    settings = {
        "access_key_id": "sandbox-access-key",
        "access_key_secret": "sandbox-secret",
        "protocol": "http",
        "endpoint": urlsplit(sandbox.endpoint(ALIYUN)).netloc,
    }
    return Client(Config(**settings | change))


def mail(to="zoe@example.com", **change):
    fields = {"account_name": "no-reply@mail.sandbox.example", "address_type": 1, "reply_to_address": False, "to_address": to}
    fields |= {"subject": "您的验证码 * ~", "html_body": "<p>482913 & +%</p>", "from_alias": "小红", "tag_name": "signin"}
    return SingleSendMailRequest(**fields | change)


THROTTLED = "throttled@example.com"
ALGORITHMS = [{}, {"signature_algorithm": "v2"}]  # V3 by default; "v2" is what the SDK calls the V1 signature


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("token", [{}, {"security_token": "sandbox-token"}])
async def test_the_official_sdk_sends(sandbox, algorithm, token):
    """With both signatures, with and without temporary credentials, from a thread and from the loop."""
    client = sdk(sandbox, **algorithm, **token)
    answer = await asyncio.to_thread(client.single_send_mail, mail())
    assert (answer.status_code, bool(answer.body.env_id), bool(answer.body.request_id)) == (200, True, True)
    await client.single_send_mail_async(mail())
    for received in sandbox.inbox:
        assert (received.subject, received.html, received.code) == ("您的验证码 * ~", "<p>482913 & +%</p>", "482913")
        assert received.sender == "小红 <no-reply@mail.sandbox.example>"
    assert len(sandbox.inbox) == 2


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("change", "request_change", "code", "status"),
    [
        ({"access_key_secret": "wrong"}, {}, "SignatureDoesNotMatch", 400),
        ({"access_key_id": "unknown"}, {}, "InvalidAccessKeyId.NotFound", 404),
        ({"security_token": "old"}, {}, "InvalidSecurityToken.Malformed", 403),
        ({}, {"account_name": "other@mail.sandbox.example"}, "InvalidMailAddress.NotFound", 404),
        ({}, {"account_name": None}, "MissingAccountName", 400),
        ({}, {"to_address": "nobody"}, "InvalidToAddress", 400),
        ({}, {"html_body": None}, "InvalidBody", 400),
        ({}, {"subject": "x" * 257}, "InvalidSubject.Malformed", 400),
        ({}, {"from_alias": "x" * 16}, "InvalidFromAlias.Malformed", 400),
        ({}, {"to_address": "spam@example.com"}, "InvalidSendMail.Spam", 400),
        ({}, {"to_address": "busy@example.com"}, "ServiceUnavailable", 503),
    ],
)
async def test_the_official_sdk_understands_the_errors(sandbox, algorithm, change, request_change, code, status):
    """Its exceptions have code and status as with the service."""
    with pytest.raises(Exception) as caught:
        await asyncio.to_thread(sdk(sandbox, **algorithm, **change).single_send_mail, mail(**request_change))
    assert (caught.value.code, caught.value.status_code) == (code, status)
    assert caught.value.request_id
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_official_sdk_reads_the_delay(sandbox, algorithm):
    """Its throttling exception knows how long to wait, in milliseconds; from a thread and from the loop."""
    client = sdk(sandbox, **algorithm)
    for call in (asyncio.to_thread(client.single_send_mail, mail(THROTTLED)), client.single_send_mail_async(mail(THROTTLED))):
        with pytest.raises(ThrottlingException) as caught:
            await call
        assert (caught.value.code, caught.value.retry_after) == ("Throttling.User", 3000)


async def test_the_official_async_sdk_understands_the_errors(sandbox):
    """The same from the loop."""
    for change, to, code in (({"access_key_secret": "x"}, "zoe", "SignatureDoesNotMatch"), ({}, "spam", "InvalidSendMail.Spam")):
        with pytest.raises(ClientException) as caught:
            await sdk(sandbox, **change).single_send_mail_async(mail(f"{to}@example.com"))
        assert (caught.value.code, caught.value.status_code) == (code, 400)


@pytest.mark.parametrize("recipient", ["cut", "html", "garbage"])
async def test_faults_that_are_no_answers(sandbox, recipient):
    """The SDK gives up in its own way."""
    with pytest.raises(UnretryableException):
        await asyncio.to_thread(sdk(sandbox).single_send_mail, mail(f"{recipient}@example.com"))


async def test_the_official_sdk_asks_for_the_account(sandbox):
    """The answers have the names that the SDK's models read."""
    client = sdk(sandbox)
    summary = await asyncio.to_thread(client.desc_account_summary, DescAccountSummaryRequest())
    assert (summary.body.daily_quota, summary.body.user_status) == (2000, 0)
    senders = await asyncio.to_thread(client.query_mail_address_by_param, QueryMailAddressByParamRequest(key_word="no-reply"))
    assert [row.account_name for row in senders.body.data.mail_address] == ["no-reply@mail.sandbox.example"]


# Captured requests.

CAPTURE_KEY = {"LTAI5tFAKEFAKEFAKE0001": "FAKEsecretFAKEsecretFAKEsecret"}


async def replay(endpoint, request, body):
    """Send the captured bytes again, head and all."""
    url = urlsplit(endpoint)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    headers = [
        (name, value)
        for name, value in request["headers"]
        if name.lower() not in ("content-length", "connection", "transfer-encoding")
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in [*headers, ("Content-Length", len(body)), ("Connection", "close")])
    writer.write(f"{request['method']} {request['target']} HTTP/1.1\r\n{head}\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    return answer.decode()


def date_of(request):
    headers = {name.lower(): value for name, value in request["headers"]}
    form = dict(parse_qsl(urlsplit(request["target"]).query)) | dict(parse_qsl(request["body"]))
    return datetime.strptime(headers.get("x-acs-date") or form["Timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def token_of(request):
    headers = {name.lower(): value for name, value in request["headers"]}
    form = dict(parse_qsl(urlsplit(request["target"]).query)) | dict(parse_qsl(request["body"]))
    return headers.get("x-acs-security-token") or form.get("SecurityToken") or "none"


async def test_captured_requests_are_genuine(vectors):
    """Requests of five SDKs, sent again byte for byte: their signatures hold, and what they ask for is done."""
    captures = vectors("aliyun_dm/wire-examples")["captures"]
    assert len(captures) == 35
    for capture in captures:
        for request in capture["requests"]:
            emulator = DirectMailEmulator(
                access_keys=CAPTURE_KEY,
                senders=("noreply@mail.example.com",),
                security_token=token_of(request),
                now=lambda r=request: date_of(r),
            )
            async with Sandbox({ALIYUN: emulator}) as sandbox:
                answer = await replay(sandbox.endpoint(ALIYUN), request, request["body"].encode())
                if "batch" in capture["name"]:
                    assert "InvalidApi.NotFound" in answer  # signed right; the emulator sends single mails
                elif "missing-required" in capture["name"]:
                    assert "MissingAccountName" in answer
                else:
                    assert " 200 OK" in answer, (capture["name"], answer)
                    assert "EnvId" in answer
                    assert len(sandbox.inbox) == 1


async def test_a_changed_request_is_found(vectors):
    """One other byte in the body, and no signature holds."""
    for capture in vectors("aliyun_dm/wire-examples")["captures"]:
        request = capture["requests"][0]
        if not request["body"]:
            continue  # a GET
        emulator = DirectMailEmulator(access_keys=CAPTURE_KEY, security_token=token_of(request), now=lambda r=request: date_of(r))
        changed = request["body"][:-1] + ("0" if request["body"][-1] != "0" else "1")
        async with Sandbox({ALIYUN: emulator}) as sandbox:
            assert "SignatureDoesNotMatch" in await replay(sandbox.endpoint(ALIYUN), request, changed.encode()), capture["name"]


# Requests signed by hand: what no SDK sends.


def signed(method="POST", secret="sandbox-secret", **change):
    """Parameters of a mail with a V1 signature; None leaves one out."""
    parameters = {
        "AccessKeyId": "sandbox-access-key",
        "AccountName": "no-reply@mail.sandbox.example",
        "Action": "SingleSendMail",
        "AddressType": "1",
        "Format": "JSON",
        "HtmlBody": "<p>482913</p>",
        "ReplyToAddress": "false",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": uuid4().hex,
        "SignatureVersion": "1.0",
        "Subject": "s",
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ToAddress": "zoe@example.com",
        "Version": "2015-11-23",
    } | change
    parameters = {name: value for name, value in parameters.items() if value is not None}
    return parameters | {"Signature": sign_v1(method, parameters, secret)}


@pytest.fixture
async def post(sandbox):
    """Send parameters as a form; gives status, content type and text."""
    async with aiohttp.ClientSession() as session:

        async def post(parameters, method="POST", path="/", **options):
            where = {"params": parameters} if method == "GET" else {"data": parameters}
            options = {"allow_redirects": False, **where, **options}
            async with session.request(method, sandbox.endpoint(ALIYUN) + path, **options) as reply:
                return reply.status, reply.headers.get("Content-Type"), await reply.text()

        yield post


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Subject": "x" * 256, "FromAlias": "x" * 15, "TagName": "a-Z_0", "ClickTrace": "1", "ReplyToAddress": "True"}, None),
        ({"ToAddress": ",".join(["zoe@example.com"] * 100), "AddressType": "0"}, None),
        ({"HtmlBody": None, "TextBody": "482913"}, None),
        ({"FromAlias": "x\r\nBcc: y", "ReplyAddress": "help@example.com", "ReplyAddressAlias": '\x00"'}, None),
        ({"Subject": ""}, "MissingSubject"),
        ({"ToAddress": None}, "MissingToAddress"),
        ({"HtmlBody": ""}, "InvalidBody"),
        ({"AddressType": "2"}, "InvalidParameter.Format"),
        ({"ReplyToAddress": "no"}, "InvalidParameter.Format"),
        ({"ClickTrace": "true"}, "InvalidParameter.Format"),
        ({"TagName": "a b"}, "InvalidParameter.Format"),
        ({"TagName": "x" * 129}, "InvalidParameter.Format"),
        ({"ToAddress": ",".join(["zoe@example.com"] * 101)}, "InvalidToAddress"),
        ({"ToAddress": "zoe@example.com,"}, "InvalidToAddress"),
        ({"ToAddress": "<zoe@example.com>"}, "InvalidToAddress"),
        ({"ToAddress": "zoe@example..com"}, "InvalidToAddress"),
        ({"ReplyAddress": "help@example.com>"}, "InvalidReplyAddress.Malformed"),
        ({"RegionId": "eu-central-1"}, "InvalidMailAddress.NotFound"),
        ({"SignatureMethod": "HMAC-SHA256"}, "InvalidSignatureMethod"),
        ({"Timestamp": "2026-11-24 12:00:00"}, "InvalidTimeStamp.Format"),
        ({"Action": "SendMail"}, "InvalidApi.NotFound"),
    ],
)
async def test_parameters_are_checked(sandbox, post, change, code):
    """What is in order is accepted, whatever is in it; else the code tells, and no mail arrives."""
    status, _, text = await post(signed(**change))
    assert (json.loads(text).get("Code"), status == 200, len(sandbox.inbox)) == (code, code is None, code is None)


async def test_an_alias_is_shown_in_one_line(sandbox, post):
    """As a mail program would, and in quotes."""
    await post(signed(FromAlias="a\r\nBcc: y", ReplyAddress="help@example.com", ReplyAddressAlias="x\x00", TagName="signin"))
    mail = next(iter(sandbox.inbox))
    assert mail.sender == '"a Bcc: y" <no-reply@mail.sandbox.example>'
    assert (mail.reply_to, mail.extra) == ("x <help@example.com>", {"TagName": "signin"})


async def test_checks_come_in_the_gateways_order(post):
    """Key, time, signature, nonce, action, parameters: the first that is wrong answers."""
    wrong = {"AccessKeyId": "x", "Timestamp": "2020-01-01T00:00:00Z", "secret": "x", "SignatureNonce": "n", "Action": "x"}
    assert (await post(signed(SignatureNonce="n")))[0] == 200
    order = [
        "InvalidAccessKeyId.NotFound",
        "InvalidTimeStamp.Expired",
        "SignatureDoesNotMatch",
        "SignatureNonceUsed",
        "InvalidApi.NotFound",
    ]
    for mended, code in zip(tuple(wrong), order, strict=True):
        assert json.loads((await post(signed(**wrong, Subject="")))[2])["Code"] == code
        del wrong[mended]
    assert json.loads((await post(signed(Subject="")))[2])["Code"] == "MissingSubject"


async def test_a_wrong_signature_is_echoed(post):
    """As the service does, with the whole request in it."""
    parameters = signed(secret="wrong")
    del parameters["Signature"]
    answer = json.loads((await post(parameters | {"Signature": "x"}))[2])
    assert answer["Message"].endswith(f"server string to sign is:{string_to_sign_v1('POST', parameters)}")
    assert set(answer) == {"RequestId", "HostId", "Code", "Message", "Recommend"}


@pytest.mark.parametrize(
    ("change", "root", "holds"),
    [
        ({}, "SingleSendMailResponse", ["<EnvId>"]),
        ({"Subject": ""}, "Error", ["<Code>MissingSubject</Code>"]),
        ({"Action": "DescAccountSummary"}, "DescAccountSummaryResponse", ["<UserStatus>0</UserStatus>"]),
        (
            {"Action": "QueryMailAddressByParam"},
            "QueryMailAddressByParamResponse",
            ["<data><mailAddress><AccountName>no-reply@mail.sandbox.example</AccountName>"],
        ),
    ],
)
async def test_v1_answers_in_xml_unless_asked_for_json(post, change, root, holds):
    """With the content type that the SDK compares word for word."""
    _, content_type, text = await post(signed(Format=None, **change))
    tree = ET.fromstring(text)
    assert (content_type, tree.tag) == ("text/xml;charset=utf-8", root)
    assert tree.find("RequestId") is not None
    assert all(part in text for part in holds)


async def test_the_form_of_a_call(post):
    """GET with a query is one, other methods and paths are none."""
    assert (await post(signed("GET"), "GET"))[0] == 200
    assert "UnsupportedHTTPMethod" in (await post(signed("PUT"), "PUT"))[2]
    assert "InvalidApi.NotFound" in (await post(signed(), path="/api"))[2]


# Faults on demand.


async def test_every_code_can_be_had(sandbox, post):
    """By the recipient, with the status of its kind, and no mail arrives."""
    for name, fault in FAULTS.items():
        if fault.code is not None:
            status, _, text = await post(signed(ToAddress=f"{name}+1@example.com"))
            assert (status, json.loads(text)["Code"]) == (fault.status, fault.code)
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize(
    ("name", "status", "mails"),
    [("html", 502, 0), ("garbage", 200, 0), ("no-envid", 200, 0), ("redirect", 302, 0), ("slow", 200, 1)],
)
async def test_answers_out_of_order(sandbox, post, name, status, mails):
    """Their status, and whether the mail is there."""
    assert (await post(signed(ToAddress=f"{name}@example.com")))[0] == status
    assert len(sandbox.inbox) == mails


@pytest.mark.parametrize(("name", "mails"), [("cut", 0), ("cut-after", 1)])
async def test_cut_connections(sandbox, post, name, mails):
    """Without an answer; the mail is there only if it was taken before."""
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post(signed(ToAddress=f"{name}@example.com"))
    assert len(sandbox.inbox) == mails


async def test_a_mail_may_arrive_without_an_answer(sandbox, post):
    """The mail is there while the caller still waits; the same request again was seen before."""
    parameters = signed(ToAddress="timeout@example.com")
    waiting = asyncio.create_task(post(parameters))
    await sandbox.inbox.wait(to="timeout@example.com")
    assert not waiting.done()
    assert "SignatureNonceUsed" in (await post(parameters))[2]
    waiting.cancel()


async def test_a_lost_request_was_never_taken(sandbox, post):
    """No answer comes to the first; the same one again is accepted, and a third was seen before."""
    parameters = signed(ToAddress="lost@example.com")
    with pytest.raises(TimeoutError):
        await post(parameters, timeout=aiohttp.ClientTimeout(0.3))
    assert len(sandbox.inbox) == 0
    assert (await post(parameters))[0] == 200
    assert "SignatureNonceUsed" in (await post(parameters))[2]
    assert len(sandbox.inbox) == 1


# What the gateway checks besides.


@pytest.fixture
def recorded(vectors):
    return next(
        capture["requests"][0] for capture in vectors("aliyun_dm/wire-examples")["captures"] if capture["name"] == "sdk-sync-200"
    )


@pytest.mark.parametrize(
    ("minutes", "answer"), [(14, "EnvId"), (-14, "EnvId"), (16, "InvalidTimeStamp.Expired"), (-16, "InvalidTimeStamp.Expired")]
)
async def test_the_time_window_is_fifteen_minutes(recorded, minutes, answer):
    """Either way."""
    now = date_of(recorded) + timedelta(minutes=minutes)
    emulator = DirectMailEmulator(access_keys=CAPTURE_KEY, senders=("noreply@mail.example.com",), now=lambda: now)
    async with Sandbox({ALIYUN: emulator}) as sandbox:
        assert answer in await replay(sandbox.endpoint(ALIYUN), recorded, recorded["body"].encode())


async def test_a_nonce_counts_once(recorded):
    """The same request again is refused, until it is too old anyway."""
    emulator = DirectMailEmulator(access_keys=CAPTURE_KEY, senders=("noreply@mail.example.com",), now=lambda: date_of(recorded))
    async with Sandbox({ALIYUN: emulator}) as sandbox:
        answers = [await replay(sandbox.endpoint(ALIYUN), recorded, recorded["body"].encode()) for _ in range(3)]
        assert len(sandbox.inbox) == 1
    assert ["SignatureNonceUsed" in answer for answer in answers] == [False, True, True]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a=b&a=b", b"Action=SingleSendMail&Format=JSON"])
@pytest.mark.parametrize("authorization", [None, "nonsense", "ACS3-HMAC-SHA256 Credential=x,SignedHeaders=host,Signature=00"])
async def test_nonsense_gets_an_answer(sandbox, body, authorization):
    """Unsigned and broken requests are refused in JSON or XML, never with a server error."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Authorization": authorization} if authorization else {})
    async with aiohttp.ClientSession() as session, session.post(sandbox.endpoint(ALIYUN), data=body, headers=headers) as reply:
        text = await reply.text()
    assert reply.status in (400, 404)
    assert "<Code>" in text or '"Code"' in text


def test_every_fault_is_explained():
    """The table that the documentation shows has words for each."""
    assert all(fault.help for fault in FAULTS.values())
    assert all(name == name.lower() for name in FAULTS)


@pytest.mark.parametrize("sign", ["sig\u00f1", "\U0001f600"])
async def test_a_signature_that_is_no_ascii_is_a_mismatch(sandbox, sign):
    """And no fault of the emulator."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    form = {
        "Action": "SingleSendMail",
        "Version": "2015-11-23",
        "AccessKeyId": "sandbox-access-key",
        "Signature": sign,
        "Format": "JSON",
    }
    form |= {"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": "n", "Timestamp": now}
    async with aiohttp.ClientSession() as session, session.post(sandbox.endpoint(ALIYUN), data=form) as reply:
        assert (reply.status, (await reply.json())["Code"]) == (400, "SignatureDoesNotMatch")
