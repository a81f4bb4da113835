"""The emulator must not agree with ourselves alone: the official SDK uses it, and captured requests of SDKs replay."""

import asyncio
import warnings
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator
from authmail_aliyun_dm.emulator_faults import FAULTS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's own parts warn of each other when they are imported
    from alibabacloud_dm20151123.client import Client
    from alibabacloud_dm20151123.models import DescAccountSummaryRequest, QueryMailAddressByParamRequest, SingleSendMailRequest
    from alibabacloud_tea_openapi.models import Config
    from darabonba.exceptions import UnretryableException

pytestmark = [
    # The SDK leaves its sessions to the garbage collector and calls what its own parts declare as old.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ALIYUN = "aliyun-direct-mail"


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


async def test_the_official_sdk_reads_the_delay(sandbox):
    """Its throttling exception knows how long to wait, in milliseconds."""
    with pytest.raises(Exception) as caught:
        await asyncio.to_thread(sdk(sandbox).single_send_mail, mail("throttled@example.com"))
    assert (type(caught.value).__name__, caught.value.retry_after) == ("ThrottlingException", 3000)


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
