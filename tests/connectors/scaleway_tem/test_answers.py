import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail.http.reply import meaning_of_status
from authmail_scaleway_tem.answers import ANSWERS

ID = "33333333-3333-4333-8333-333333333333"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content))
    except SendError as error:
        return error


def mail(**change):
    return {"emails": [{"id": ID, "status": "new", "flags": [], **change}]}


# What accepts.


@pytest.mark.parametrize(
    "body", [mail(), mail(status="sending"), mail(status=None), {"emails": [{"id": ID}]}, mail(flags=["greylisted"])]
)
def test_an_id_of_the_mail_is_the_acceptance(body):
    """Whatever is said beside it, but that it has ended."""
    assert outcome(200, body, {"X-Request-Id": "r-1"}) == Receipt(ID, "r-1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>ok</html>",
        [],
        {},
        {"emails": []},
        {"emails": {}},
        {"emails": [{}]},
        mail(id=""),
        mail(id=5),
        b"[" * 100_000,
    ],
)
def test_a_success_without_an_id_is_unknown(body):
    """Somebody else may have answered."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "failed"}, Reason.PROVIDER), ({"status": "canceled"}, Reason.PROVIDER), ({"status": "failed", "flags": ["blocklisted"]}, Reason.SUPPRESSED),
        ({"status": "failed", "flags": "blocklisted"}, Reason.PROVIDER),
    ],
)  # fmt: skip
def test_a_mail_that_has_ended_is_refused(change, reason):
    """In a success."""
    error = outcome(200, mail(**change, status_details="no more"))
    assert (type(error), error.reason, error.code, error.detail) == (MessageRejected, reason, change["status"], "no more")


# Every row of the table.

SENDER, CONTENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.CONTENT), (MessageRejected, Reason.PROVIDER)
KEY, QUOTA, PERMISSION = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.QUOTA), (AccountError, Reason.PERMISSION)
RECIPIENT, ENDPOINT, CONFIG = (MessageRejected, Reason.RECIPIENT), (AccountError, Reason.ENDPOINT), (AccountError, Reason.CONFIG)
UNKNOWN, SUPPRESSED, LATER = (OutcomeUnknown, Reason.PROVIDER), (MessageRejected, Reason.SUPPRESSED), (NotSent, Reason.PROVIDER)


def arguments(*names, says=None):
    return {
        "details": [{"argument_name": name, "reason": "constraint", **({"help_message": says} if says else {})} for name in names]
    }


ERRORS = [
    (400, "invalid_arguments", arguments("from.email"), SENDER),
    (400, "invalid_arguments", arguments("subject", "from.email"), SENDER),
    (400, "invalid_arguments", arguments("project_id"), CONFIG),
    (400, "invalid_arguments", arguments("region"), CONFIG),
    (400, "invalid_arguments", arguments("to[0].email"), RECIPIENT),
    (400, "invalid_arguments", arguments("to"), RECIPIENT),
    (400, "invalid_arguments", arguments("subject"), CONTENT),
    (400, "invalid_arguments", arguments("text"), CONTENT),
    (400, "invalid_arguments", arguments("html"), CONTENT),
    (400, "invalid_arguments", arguments("additional_headers[0].key"), CONTENT),
    (400, "invalid_arguments", arguments("send_before"), OTHER),
    (400, "invalid_arguments", arguments("subject", says="must have at least 10 characters"), CONTENT),
    (400, "invalid_arguments", arguments("to[0].email", says="the recipient is blocklisted"), SUPPRESSED),
    (400, "invalid_arguments", {}, OTHER),
    (400, "invalid_arguments", {"details": "x"}, OTHER),
    (400, "invalid_arguments", {"details": [5, None]}, OTHER),
    (422, "invalid_arguments", arguments("to[0].email"), RECIPIENT),
    (400, "denied_authentication", {}, KEY),
    (400, "permissions_denied", {}, PERMISSION),
    (400, "quotas_exceeded", {}, QUOTA),
    (400, "not_found", {"resource": "domain"}, SENDER),
    (400, "too_many_requests", {}, (Throttled, Reason.RATE)),
    (401, "denied_authentication", {"method": "api_key", "reason": "expired"}, KEY),
    (403, "permissions_denied", {"details": [{"resource": "email", "action": "write"}]}, PERMISSION),
    (403, "quotas_exceeded", {"details": [{"resource": "emails", "quota": 10_000, "current": 10_000}]}, QUOTA),
    (404, "not_found", {"resource": "domain", "resource_id": "x"}, SENDER),
    (404, "not_found", {"resource": "project", "resource_id": "x"}, CONFIG),
    (404, "not_found", {"resource": "page"}, ENDPOINT),
    (404, "not_found", {}, ENDPOINT),
    (412, "precondition_failed", {"precondition": "x", "help_message": "the domain is not checked"}, SENDER),
    (412, "precondition_failed", {}, SENDER),
    (409, "locked", {"resource": "domain"}, SENDER),
    (409, "transient_state", {"resource": "domain", "current_state": "checking"}, LATER),
    (503, "transient_state", {}, UNKNOWN),
    (429, "too_many_requests", {}, (Throttled, Reason.RATE)),
    (500, "internal", {}, UNKNOWN),
    (502, "internal", {}, UNKNOWN),
    (503, "unavailable", {}, LATER),
    (403, None, {"message": "your account is locked"}, (AccountError, Reason.ACCOUNT)),
    (400, "something_new", {"message": "the domain is revoked"}, SENDER),
    (400, "something_new", {}, OTHER),
    (401, None, {}, KEY),
    (403, None, {}, PERMISSION),
    (404, None, {}, ENDPOINT),
    (405, None, {}, ENDPOINT),
    (413, None, {}, CONTENT),
    (415, None, {}, ENDPOINT),
    (429, None, {}, (Throttled, Reason.RATE)),
]  # fmt: skip


def error_of(status, kind, more):
    return outcome(status, {"type": kind, "message": "no", **more})


@pytest.mark.parametrize(("status", "kind", "more", "expected"), ERRORS)
def test_type_and_details_decide(status, kind, more, expected):
    """The type first, within it whose argument or resource it is; words and a hint are kept."""
    error = error_of(status, kind, more)
    assert (type(error), error.reason) == expected
    assert (error.code, error.status) == (kind, status)
    assert error.detail.startswith(more.get("message", "no"))
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "kind", "more", "expected"), ERRORS)
def test_every_hint_is_translated(status, kind, more, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("scaleway-tem-mail")
    error = error_of(status, kind, more)
    assert error.hint_in(language) != error.hint


def test_what_is_too_short_has_a_hint_of_its_own():
    """Whoever writes templates can do something about it."""
    for words in ("subject must have at least 10 characters", "The email body must have at least 10 characters"):
        assert "10 characters" in outcome(400, {"type": "invalid_arguments", "message": words}).hint


def test_details_are_told():
    """Argument and help, resource and quota."""
    assert error_of(400, "invalid_arguments", arguments("subject", says="too short")).detail == "no subject too short"
    quota = {"details": [{"resource": "emails", "quota": 10_000, "current": 10_001}]}
    assert error_of(403, "quotas_exceeded", quota).detail == "no emails 10000 10001"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"x", OTHER), (401, b"<html>", KEY), (403, b"", PERMISSION), (404, b"", ENDPOINT), (408, b"", (NotSent, Reason.TIMEOUT)),
        (429, b"", (Throttled, Reason.RATE)), (500, b"<html>", UNKNOWN), (502, b"", UNKNOWN), (503, b"", UNKNOWN), (503, b"<html>", UNKNOWN),
        (400, [], OTHER), (503, [], UNKNOWN),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_by_its_status(status, body, expected):
    """And a 5xx of something in between is unknown."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 415, 429, 500])
def test_each_status_has_a_hint_of_its_own(status):
    """What it means at Scaleway, and not what it means anywhere."""
    assert outcome(status).hint not in ("", meaning_of_status(status).hint)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("error-400", SENDER), ("error-401", KEY), ("error-403", PERMISSION), ("error-404-domain", SENDER), ("error-429", (Throttled, Reason.RATE)),
        ("error-500", UNKNOWN), ("error-503", UNKNOWN), ("anymail-401", KEY),
    ],
)  # fmt: skip
def test_captured_answers_are_understood(vectors, name, expected):
    """The same as in the rows above."""
    [answer] = [one["server_replies"][0] for one in vectors("scaleway_tem/captures")["captures"] if one["name"] == name]
    error = outcome(answer["status"], answer["body"])
    assert (type(error), error.reason) == expected
