from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from authmail import Email, MessageRejected, Reason
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import single_send_mail
from authmail_aliyun_dm.signing import sign_v1, sign_v3

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def build(raw, email=None, **change):
    config = AliyunDMConfig.from_dict(raw | change)
    return single_send_mail(email or Email("zoe@example.com", "Hi", html="<p>x</p>"), config, nonce="n-1", now=NOW)


def fields(request):
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_v3_sends_what_the_service_wants(raw):
    """Business fields in the form body, everything else in signed headers; texts for booleans."""
    request = build(raw)
    assert request.url == "https://dm.aliyuncs.com/"
    assert fields(request) == {
        "AccountName": "no-reply@mail.sandbox.example", "AddressType": "1", "ReplyToAddress": "false", "ToAddress": "zoe@example.com", "Subject": "Hi",
        "HtmlBody": "<p>x</p>", "ClickTrace": "0",
    }  # fmt: skip
    headers = dict(request.headers)
    assert headers.pop("accept") == "application/json"
    authorization = headers.pop("authorization")
    assert (headers["host"], headers["x-acs-date"], headers["x-acs-signature-nonce"]) == (
        "dm.aliyuncs.com",
        "2024-01-02T03:04:05Z",
        "n-1",
    )
    assert authorization == sign_v3("POST", "/", {}, headers, request.body, raw["accessKeyId"], raw["accessKeySecret"])
    assert raw["accessKeySecret"] not in repr(request) + authorization


def test_v1_sends_everything_in_the_body(raw):
    """System parameters too, as Logto and the legacy SDKs do."""
    request = build(raw, signature="v1", regionId="eu-central-1", securityToken="t")
    sent = fields(request)
    signature = sent.pop("Signature")
    assert sent["RegionId"] == "eu-central-1"
    assert (sent["Format"], sent["SecurityToken"], sent["Timestamp"]) == ("JSON", "t", "2024-01-02T03:04:05Z")
    assert signature == sign_v1("POST", sent, raw["accessKeySecret"])
    assert "authorization" not in request.headers


def test_temporary_credentials_are_signed(raw):
    """STS: token and key id in signed headers."""
    request = build(raw, securityToken="st-s")
    assert (request.headers["x-acs-security-token"], request.headers["x-acs-accesskey-id"]) == ("st-s", raw["accessKeyId"])
    assert ";x-acs-accesskey-id;" in request.headers["authorization"]


def test_every_setting_goes_where_it_belongs(raw):
    """Alias, tag, tracking and reply address."""
    sent = fields(
        build(raw, fromAlias="小红", tagName="signin", clickTrace=True, replyAddress="help@example.com", replyAddressAlias="Help")
    )
    assert (sent["FromAlias"], sent["TagName"], sent["ClickTrace"]) == ("小红", "signin", "1")
    assert (sent["ReplyAddress"], sent["ReplyAddressAlias"], sent["ReplyToAddress"]) == ("help@example.com", "Help", "false")
    assert fields(build(raw, replyToAddress=True))["ReplyToAddress"] == "true"


def test_a_template_overrides_name_and_reply_address(raw):
    """The sender's name alone; an address in it is not the sender's. The reply address whole."""
    email = Email(
        "a@b.c", "s", html="x", from_name="Acme and a long tail", from_address="other@example.com", reply_to="Help <h@e.x>"
    )
    sent = fields(build(raw, email, fromAlias="Config", replyAddress="c@e.x", replyToAddress=True))
    assert (sent["FromAlias"], sent["ReplyAddress"], sent["ReplyAddressAlias"], sent["ReplyToAddress"]) == (
        "Acme and a lon",
        "h@e.x",
        "Help",
        "false",
    )
    assert sent["AccountName"] == raw["accountName"]


@pytest.mark.parametrize(
    ("email", "bodies"),
    [
        (Email("a@b.c", "s", html="h", text="t", text_is_own=False), {"HtmlBody": "h"}),
        (Email("a@b.c", "s", html="h", text="t"), {"HtmlBody": "h", "TextBody": "t"}),
        (Email("a@b.c", "s", text="t"), {"TextBody": "t"}),
    ],
)
def test_a_derived_text_stays_at_home(raw, email, bodies):
    """TextBody for text templates and for a text of the template's own."""
    assert {key: value for key, value in fields(build(raw, email)).items() if key.endswith("Body")} == bodies


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        (Email("a@b.c", "x" * 257, html="x"), Reason.CONTENT),
        (Email("a@b.c", "s", html="x" * 8_000_001), Reason.CONTENT),
        (Email(f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 20}.example", "s", html="x"), Reason.RECIPIENT),
    ],
)
@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_known_limits_are_refused_before_sending(raw, email, reason, signature):
    """Subject, body and recipient; with the field's name."""
    with pytest.raises(MessageRejected) as caught:
        build(raw, email, signature=signature)
    assert caught.value.reason is reason


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_awkward_texts_arrive_as_they_are(raw, signature):
    """Blanks, signs, Chinese and emoji survive the form encoding."""
    text = " a+b%20~*()!'\"&=;é你好🎉\t"
    sent = fields(build(raw, Email("o'brien+tag@example.com", text, html=text), signature=signature))
    assert (sent["HtmlBody"], sent["ToAddress"]) == (text, "o'brien+tag@example.com")
