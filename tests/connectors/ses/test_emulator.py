import asyncio
import json
from datetime import UTC, datetime, timedelta

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from authmail.sandbox import Sandbox
from authmail_ses.emulator import SESEmulator
from authmail_ses.signing import Credentials, signed_headers

SES = "aws-ses-mail"
KEY, SECRET, REGION = SESEmulator.key_id, SESEmulator.secret, SESEmulator.region
SIMPLE = {
    "Subject": {"Data": "您的验证码 482913", "Charset": "UTF-8"},
    "Body": {"Html": {"Data": "<p>482913</p>", "Charset": "UTF-8"}, "Text": {"Data": "482913"}},
}


@pytest.fixture
async def sandbox():
    """A sandbox with SES in it."""
    async with Sandbox({SES: SESEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """Boto3, which talks to the sandbox from a thread of its own."""

    def ask(what, attempts, **account):
        given = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": REGION} | account
        config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
        client = boto3.session.Session().client("sesv2", endpoint_url=sandbox.endpoint(SES), config=config, **given)
        try:
            return what(client)
        finally:
            client.close()

    return lambda what, attempts=1, **account: asyncio.to_thread(ask, what, attempts, **account)


def send(recipient="zoe", **more):
    mail = {
        "FromEmailAddress": '"Acme, Team" <no-reply@mail.sandbox.example>',
        "Destination": {"ToAddresses": [f"{recipient}@example.com"]},
        "Content": {"Simple": SIMPLE},
    }
    return lambda client: client.send_email(**mail | more)


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours, and temporary credentials; it finds the id."""
    more = {
        "ReplyToAddresses": ["Help <help@example.com>"], "ConfigurationSetName": "transactional", "TenantName": "acme",
        "EmailTags": [{"Name": "type", "Value": "signin"}],
        "Content": {"Simple": SIMPLE | {"Headers": [{"Name": "X-Flow", "Value": "1"}]}},
        "ConfigurationOverrides": {"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}},
    }  # fmt: skip
    answer = await sdk(send(**more), aws_session_token=SESEmulator.token)
    assert answer["MessageId"].startswith("0107-")
    [mail] = sandbox.inbox
    assert (mail.sender, mail.to) == ('"Acme, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (mail.subject, mail.code, mail.text) == ("您的验证码 482913", "482913", "482913")
    assert mail.reply_to == "Help <help@example.com>"
    assert mail.extra == {"X-Flow": "1", "tag type": "signin", "ConfigurationSetName": "transactional", "TenantName": "acme"}


@pytest.mark.parametrize(
    ("account", "code", "says"),
    [
        ({"aws_access_key_id": "AKIAOTHER"}, "UnrecognizedClientException", "security token"),
        ({"aws_session_token": "old"}, "UnrecognizedClientException", "security token"),
        ({"aws_secret_access_key": "wrong"}, "SignatureDoesNotMatch", "does not match"),
        ({"region_name": "us-east-1"}, "SignatureDoesNotMatch", "valid region"),
    ],
)
async def test_the_official_sdk_is_told_of_wrong_credentials(sdk, sandbox, account, code, says):
    """Key, token, secret and region, each in words of its own."""
    with pytest.raises(ClientError, match=says) as caught:
        await sdk(send(), **account)
    assert caught.value.response["Error"]["Code"] == code
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize(
    ("recipient", "code", "status", "says"),
    [
        ("sandbox", "MessageRejected", 400, "EU-CENTRAL-1: sandbox@example.com"),
        ("unverified", "MessageRejected", 400, "no-reply@mail.sandbox.example"),
        ("throttled", "TooManyRequestsException", 429, "Maximum sending rate exceeded"),
        ("quota", "LimitExceededException", 400, "Daily message quota exceeded"),
        ("suspended", "AccountSuspendedException", 400, "suspended"), ("paused", "SendingPausedException", 400, "paused"),
        ("notfoundexception", "NotFoundException", 404, "Answers"), ("crash", "InternalFailure", 500, "fault"),
    ],
)  # fmt: skip
async def test_the_official_sdk_knows_the_errors(sdk, sandbox, recipient, code, status, says):
    """By type and status; those of the service model by a class of their own."""
    with pytest.raises(ClientError, match=says) as caught:
        await sdk(send(recipient))
    told = caught.value.response
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize(("recipient", "mails"), [("crash-after", 2), ("crash", 0), ("throttled", 0)])
async def test_the_official_sdk_repeats_by_itself(sdk, sandbox, recipient, mails):
    """Also after a fault behind which the mail was taken, which is why authmail embeds no SDK: two mails."""
    with pytest.raises(ClientError):
        await sdk(send(recipient), attempts=2)
    assert len(list(sandbox.inbox.exchanges)) == 2
    assert len(sandbox.inbox) == mails


async def test_the_official_sdk_reads_account_and_identities(sdk):
    """As the account check does."""
    account = await sdk(lambda client: client.get_account())
    assert (account["ProductionAccessEnabled"], account["SendQuota"]["Max24HourSend"]) == (True, 50000)
    found = await sdk(
        lambda client: client.list_email_identities(PageSize=1000, Filter={"IDENTITY_NAME_CONTAINS": "sandbox.example"})
    )
    assert found["EmailIdentities"] == [
        {"IdentityType": "DOMAIN", "IdentityName": "mail.sandbox.example", "SendingEnabled": True}
    ]
    with pytest.raises(ClientError, match="does not exist"):
        await sdk(lambda client: client.get_configuration_set(ConfigurationSetName="other"))


# Whatever else comes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession() as session:

        async def request(body, *, method="POST", path="/v2/email/outbound-emails", content_type="application/json", late=0.0):
            url, now = sandbox.endpoint(SES) + path, datetime.now(UTC) - timedelta(minutes=late)
            by = Credentials(KEY, SECRET, REGION)
            headers = signed_headers(method, url, {"content-type": content_type}, body, by, now)
            async with session.request(method, url, data=body, headers=headers) as response:
                return response.status, response.headers.get("x-amzn-ErrorType"), await response.json()

        yield request


MAIL = {
    "FromEmailAddress": "no-reply@mail.sandbox.example", "Destination": {"ToAddresses": ["zoe@example.com"]}, "Content": {"Simple": SIMPLE},
}  # fmt: skip
NO_CHARSET = {"Subject": {"Data": "验证码"}, "Body": {"Text": {"Data": "482913"}}}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None), ({"ReplyToAddresses": None, "EmailTags": []}, None),
        ({"FromEmailAddress": None}, "BadRequestException"), ({"FromEmailAddress": "nobody"}, "BadRequestException"),
        ({"FromEmailAddress": "a@other.example"}, "MessageRejected"), ({"Destination": {"ToAddresses": []}}, "BadRequestException"),
        ({"Destination": 5}, "BadRequestException"), ({"Destination": {"ToAddresses": ["a b"]}}, "BadRequestException"),
        ({"Content": {"Simple": NO_CHARSET}}, "BadRequestException"), ({"Content": {}}, "BadRequestException"),
        ({"EmailTags": [5]}, "BadRequestException"), ({"ReplyToAddresses": ["x"]}, "BadRequestException"),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, code):
    """With no fault of its own; a text that is not ASCII needs its charset."""
    status, told, _ = await ask(json.dumps(MAIL | change).encode())
    assert (status, told) == (200 if code is None else 400, code)
    assert len(sandbox.inbox) == (code is None)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"method": "GET"}, 404, "NotFoundException"), ({"path": "/v2/email/other"}, 404, "NotFoundException"),
        ({"content_type": "text/plain"}, 400, "BadRequestException"), ({"late": 6}, 403, "SignatureDoesNotMatch"),
        ({"late": -6}, 403, "SignatureDoesNotMatch"), ({"late": 4}, 200, None),
        ({"path": "/v2/email/outbound-emails?a=b&c"}, 200, None),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, options, status, code):
    """Path, method, content type and time."""
    assert (await ask(json.dumps(MAIL).encode(), **options))[:2] == (status, code)


@pytest.mark.parametrize("authorization", [None, "Bearer x", "AWS4-HMAC-SHA256 Credential=é/x, SignedHeaders=a, Signature=0"])
async def test_what_is_no_signature_is_refused(sandbox, authorization):
    """Whatever stands in its place."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with aiohttp.ClientSession() as session, session.post(
        f"{sandbox.endpoint(SES)}/v2/email/outbound-emails", json=MAIL, headers=headers
    ) as response:  # fmt: skip
        assert response.status == 403


async def test_answers_have_the_captured_shapes(ask, vectors):
    """Status, type and members of the error answers, and of success."""
    captured = {one["name"]: one["server_replies"][0] for one in vectors("ses/captures")["captures"]}
    for name, recipient in {
        "simple-minimal-200": "zoe", "error-400-MessageRejected": "sandbox", "error-400-LimitExceededException": "quota",
        "error-400-SendingPausedException": "paused", "error-404-NotFoundException": "notfoundexception",
        "error-500-InternalFailure": "crash", "retry-legacy-429-then-200": "throttled",
    }.items():  # fmt: skip
        status, told, body = await ask(json.dumps(MAIL | {"Destination": {"ToAddresses": [f"{recipient}@example.com"]}}).encode())
        theirs = captured[name]
        assert (status, told, set(body)) == (theirs["status"], theirs["headers"].get("x-amzn-ErrorType"), set(theirs["body"])), (
            name
        )
