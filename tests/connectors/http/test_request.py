import json
import time
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from authmail import Email, Message, MessageRejected, Reason
from authmail_http.config import HttpConfig
from authmail_http.request import post

URL = "https://mail.example.com/send"
SECRET = "whsec_c2FuZGJveC1zaWduaW5nLXNlY3JldC0xMjM0"


def build(message, now=1700000000, identifier="m-1", **config):
    return post(message, HttpConfig.from_dict({"endpoint": URL} | config), identifier, datetime.fromtimestamp(now, UTC))


def test_logtos_requests_are_met(vectors):
    """The captured requests of the reference connector, byte for byte; authorization too, but an empty one is none."""
    cases = [case for case in vectors("logto/wire_http")["cases"] if case["connector"] == "http-email"]
    assert len(cases) >= 9
    for case in cases:
        config = HttpConfig.from_dict({**case["config"], "endpoint": case["config"]["endpoint"].replace("PORT", "8000")})
        request = post(Message.from_dict(case["message"]), config, key="m-1", now=datetime.now(UTC))
        [theirs] = case["requests"]
        assert request.body.decode() == theirs["body"], case["id"]
        assert request.url == theirs["url"].replace("PORT", "8000"), case["id"]
        headers = dict(theirs["headers"])
        assert request.headers.get("Authorization") == (headers.get("authorization") or None), case["id"]
        assert request.headers["Content-Type"] == headers["content-type"]


#: Texts that are numbers written in another way, or with the digits that JavaScript loses.
NUMBERS = [('"tiny":1e-7,"small":0.00001', '"tiny":1e-07,"small":1e-05'), ("9007199254740992", "9007199254740993")]


def test_awkward_payloads_are_met(vectors):
    """Captured from the published package for this test: Unicode, numbers, half surrogates, order of keys."""
    cases = vectors("http_email/requests")["cases"]
    assert len(cases) == 15
    for case in cases:
        expected = case["body"]
        for theirs, ours in NUMBERS:
            expected = expected.replace(theirs, ours)
        assert build(Message.from_dict(json.loads(case["message"]))).body.decode() == expected


def test_no_idempotency_key_of_ours_gets_into_logtos_json():
    """It is a header; the body stays what Logto's receivers know."""
    request = build(Message("a@b.c", "SignIn", {"code": "1"}, idempotency_key="k"), identifier="k")
    assert request.body == b'{"to":"a@b.c","type":"SignIn","payload":{"code":"1"}}'
    assert request.headers["Idempotency-Key"] == "k"


def test_a_rendered_mail_has_a_shape_of_its_own():
    """`email` in place of `payload`; what it lacks is left out."""
    assert json.loads(build(Email("a@b.c", "Hi", text="t")).body) == {"to": "a@b.c", "email": {"subject": "Hi", "text": "t"}}
    email = Email(
        "Zoë <zoe@example.com>", "Hi", html="<p>h</p>", text="t", from_name="Acme", from_address="no-reply@example.com",
        reply_to="Help <help@example.com>", headers={"X-Campaign": "1"}, usage_type="SignIn",
    )  # fmt: skip
    assert json.loads(build(email).body) == {
        "to": "Zoë <zoe@example.com>",
        "type": "SignIn",
        "email": {
            "subject": "Hi",
            "html": "<p>h</p>",
            "text": "t",
            "from": {"name": "Acme", "address": "no-reply@example.com"},
            "replyTo": "Help <help@example.com>",
            "headers": {"X-Campaign": "1"},
        },
    }
    named = json.loads(build(Email("a@b.c", "Hi", text="t", from_name="Acme")).body)
    assert named["email"]["from"] == {"name": "Acme"}


@pytest.mark.parametrize(
    "payload",
    [{"when": datetime.now(UTC)}, {"s": {1, 2}}, {5: "x"}, {"a": {5: "x"}}, {"b": b"x"}, {"self": None}],
)
def test_what_json_cannot_hold_is_refused(payload):
    """Before anything goes out; the text does not show the value."""
    if "self" in payload:
        payload["self"] = payload
    with pytest.raises(MessageRejected, match="JSON-like") as caught:
        build(Message("a@b.c", "SignIn", payload))
    assert (caught.value.reason, caught.value.phase) == (Reason.MESSAGE, "before")


def test_any_mapping_will_do():
    """Also one that is no dict, and what is no number in JSON is null, as JavaScript has it."""
    payload = MappingProxyType({"code": "1", "nested": MappingProxyType({"n": float("nan")}), "list": (1, 2)})
    assert b'"payload":{"code":"1","nested":{"n":null},"list":[1,2]}' in build(Message("a@b.c", "SignIn", payload)).body


def test_further_headers_go_out():
    """As they were written; ours are not changed by them."""
    request = build(Message("a@b.c", "SignIn"), headers={"X-Tenant": "acme"}, authorization="Bearer t")
    assert dict(request.headers) == {
        "X-Tenant": "acme", "Content-Type": "application/json", "Idempotency-Key": "m-1", "Authorization": "Bearer t",
    }  # fmt: skip
    assert "Bearer" not in repr(request)


@pytest.mark.parametrize("secret", [SECRET, f"v1,{SECRET}"])
def test_the_published_library_verifies_the_signature(secret):
    """Standard Webhooks; a changed body, id or time, or another secret, does not pass."""
    now = int(time.time())
    request = build(Message("a@b.c", "SignIn", {"code": "1", "name": "Zoë"}), now=now, signingSecret=secret)
    webhook = Webhook(SECRET)
    assert webhook.verify(request.body, dict(request.headers)) == json.loads(request.body)
    assert request.headers["webhook-id"] == request.headers["Idempotency-Key"] == "m-1"
    for change in ({"webhook-id": "m-2"}, {"webhook-timestamp": str(now + 1)}):
        with pytest.raises(WebhookVerificationError):
            webhook.verify(request.body, {**request.headers, **change})
    with pytest.raises(WebhookVerificationError):
        webhook.verify(request.body + b" ", dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_b3RoZXItc2lnbmluZy1zZWNyZXQtMTIzNDU2").verify(request.body, dict(request.headers))
