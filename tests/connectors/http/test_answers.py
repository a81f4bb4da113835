import json
from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict

from authmail import AccountError, Message, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail_http.answers import ANSWERS
from authmail_http.config import HttpConfig
from authmail_http.request import post

REQUEST = post(Message("a@b.c", "SignIn"), HttpConfig.from_dict({"endpoint": "https://x.y"}), "ours", datetime.now(UTC))


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), REQUEST)
    except SendError as error:
        return error


@pytest.mark.parametrize(
    ("body", "identifier"),
    [
        (b"", "ours"), (b"ok", "ours"), (b"<html>", "ours"), ({"id": "x"}, "x"), ({"id": 7}, "7"), ({"messageId": "a", "id": "b"}, "a"),
        ({"message_id": "c"}, "c"), ({"id": ""}, "ours"), ({"id": None}, "ours"), ({"id": True}, "ours"), ({"id": "x" * 201}, "ours"),
        ({"id": "a\nb"}, "ours"), ({"id": {"x": 1}}, "ours"), (["id"], "ours"), (b"[" * 100_000, "ours"),
    ],
)  # fmt: skip
def test_any_2xx_is_acceptance(body, identifier):
    """With the id of the answer, if it has a usable one, else the id that was sent."""
    for status in (200, 201, 202, 204, 299):
        assert outcome(status, body) == Receipt(identifier)
    assert outcome(200, body, {"X-Request-Id": "r"}) == Receipt(identifier, "r")


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, MessageRejected, Reason.PROVIDER), (422, MessageRejected, Reason.PROVIDER), (413, MessageRejected, Reason.CONTENT),
        (401, AccountError, Reason.CREDENTIALS), (402, AccountError, Reason.QUOTA), (403, AccountError, Reason.PERMISSION),
        (404, AccountError, Reason.ENDPOINT), (405, AccountError, Reason.ENDPOINT), (410, AccountError, Reason.ENDPOINT),
        (414, AccountError, Reason.ENDPOINT), (426, AccountError, Reason.ENDPOINT), (431, AccountError, Reason.CONFIG),
        (415, AccountError, Reason.ENDPOINT), (501, AccountError, Reason.ENDPOINT), (425, NotSent, Reason.PROVIDER),
        (429, Throttled, Reason.RATE), (408, OutcomeUnknown, Reason.TIMEOUT), (409, OutcomeUnknown, Reason.PROVIDER),
        (500, OutcomeUnknown, Reason.PROVIDER), (502, OutcomeUnknown, Reason.PROVIDER), (504, OutcomeUnknown, Reason.TIMEOUT),
        (503, OutcomeUnknown, Reason.PROVIDER), (507, OutcomeUnknown, Reason.PROVIDER), (100, OutcomeUnknown, Reason.PROVIDER),
    ],
)  # fmt: skip
def test_the_status_decides(status, kind, reason):
    """And is kept, with a hint; where a gateway in between may have lost the answer alone, nobody knows."""
    error = outcome(status)
    assert type(error) is kind
    assert (error.reason, error.status, error.detail) == (reason, status, None)
    assert error.hint


@pytest.mark.parametrize("words", ["Your account has been suspended", "Maximum credits exceeded", "API key is invalid"])
def test_its_words_decide_nothing(words):
    """They may be about anything that it stands for: a contact, an order. What is the account's trouble has a status of its own."""
    error = outcome(400, {"error": {"code": "account_suspended", "message": words}})
    assert (type(error), error.reason, error.detail) == (MessageRejected, Reason.PROVIDER, words)
    error = outcome(402, {"error": {"message": words}})
    assert (type(error), error.reason) == (AccountError, Reason.QUOTA)


def test_not_now_counts_only_from_the_endpoint_itself():
    """A proxy says 503 as well when it lost the connection to an endpoint that had the message."""
    assert isinstance(outcome(503, b"", {"Retry-After": "5"}), NotSent)
    assert isinstance(outcome(503, {"error": "maintenance"}), NotSent)
    assert isinstance(outcome(503, b"upstream connect error or disconnect/reset before headers"), OutcomeUnknown)
    assert isinstance(outcome(503, b"<html>503</html>"), OutcomeUnknown)


def test_the_endpoints_delay_is_honoured():
    """Retry-After in seconds."""
    assert outcome(429, b"slow", {"Retry-After": "3"}).retry_after == 3
    assert outcome(429, b"slow").retry_after is None


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ({"message": "bad"}, None, "bad"), ({"error": "bad"}, None, "bad"), ({"error": {"code": "c", "message": "bad"}}, "c", "bad"),
        ({"code": 7, "message": "bad"}, "7", "bad"), ({"title": "t", "detail": "bad"}, None, "bad"), ({"title": "t"}, None, "t"),
        ({"error": "kind", "message": "bad"}, None, "bad"), (b"bad", None, "bad"), (b"", None, None), (b"<html>x</html>", None, None),
        ({"error": 5}, None, None), ({"error": {"message": 5}, "message": "bad"}, None, "bad"),
    ],
)  # fmt: skip
def test_the_endpoints_words_are_kept(body, code, detail):
    """Code and message, wherever common frameworks put them; pages of markup are left out."""
    error = outcome(400, body)
    assert (error.code, error.detail) == (code, detail)


def test_long_words_are_cut():
    """An answer may be a stack trace."""
    assert len(outcome(400, b"x" * 10_000).detail) < 600


def test_logtos_outcomes_are_met(vectors):
    """The captured answers: the same succeed; a failure keeps its status, and is no longer one kind for all."""
    cases = [case for case in vectors("logto/provider_outcomes")["cases"] if case["connector"] == "http-email"]
    compared = 0
    for case in cases:
        response = case.get("response")
        if not response or not response["status"]:
            continue  # redirects and network faults: test_send.py
        answer = outcome(response["status"], response.get("body", "").encode(), response.get("headers"))
        assert isinstance(answer, Receipt) is case["outcome"]["ok"], case["id"]
        if not case["outcome"]["ok"]:
            assert answer.status == response["status"]
            theirs = case["outcome"]["error"]["data"]["message"]
            assert (answer.detail or "") in theirs
        compared += 1
    assert compared >= 6
