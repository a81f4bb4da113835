"""The order of judgement where code and status leave the cause open: tests of what is a connector's stand with it."""

import json

import pytest
from multidict import CIMultiDict

from authmail import (
    AccountError,
    Answers,
    Meaning,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Reply,
    SendError,
    Spoken,
    Throttled,
    member,
)

SUSPENDED = "Your account has been suspended."
NO_KEY = Meaning(AccountError, Reason.CREDENTIALS, "make a new key at Acme")
CONTENT = Meaning(MessageRejected, Reason.CONTENT, "too dull")
ACME = Answers(
    provider="Acme",
    message_id=member("id"),
    accepted=lambda answer: answer.text("error") is None,
    code=member("error"),
    words=member("words"),
    meanings={
        "bad_content": CONTENT,
        "invalid": lambda _: Meaning(MessageRejected, Reason.PROVIDER, "some field"),
        "bad_key": NO_KEY,
        "internal*": Meaning(OutcomeUnknown, Reason.PROVIDER, "a fault"),
        "bad_*": CONTENT,
        401: NO_KEY,
        422: CONTENT,
    },
    wide=("invalid", "bad_key"),
    spoken=(Spoken("", "asleep", Meaning(NotSent, Reason.PROVIDER, "Acme is asleep")),),
    otherwise=Meaning(MessageRejected, Reason.PROVIDER, "Acme refused it"),
)


def told(answers, status, code=None, words=None):
    members = {name: value for name, value in {"error": code, "words": words}.items() if value is not None}
    with pytest.raises(SendError) as caught:
        answers.receipt(Reply(status, CIMultiDict(), json.dumps(members).encode()))
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "words", "kind", "reason"),
    [
        # The row of a code holds, unless the code is a wide one, or only its beginning is known.
        (400, "bad_content", SUSPENDED, MessageRejected, Reason.CONTENT),
        (400, "invalid", SUSPENDED, AccountError, Reason.ACCOUNT),
        (400, "invalid", "No such field", MessageRejected, Reason.PROVIDER),
        (400, "bad_thing", SUSPENDED, AccountError, Reason.ACCOUNT),
        (400, "bad_thing", "No such field", MessageRejected, Reason.CONTENT),
        (200, "invalid", SUSPENDED, AccountError, Reason.ACCOUNT),
        # A code that stands in no row, and none at all.
        (400, "brand_new", SUSPENDED, AccountError, Reason.ACCOUNT),
        (400, "quota_exceeded", None, AccountError, Reason.QUOTA),
        (400, None, SUSPENDED, AccountError, Reason.ACCOUNT),
        (400, None, "Rate limit exceeded", Throttled, Reason.RATE),
        (422, None, SUSPENDED, AccountError, Reason.ACCOUNT),
        (401, None, "Maximum credits exceeded", AccountError, Reason.QUOTA),
        (403, None, "Maximum credits exceeded", AccountError, Reason.QUOTA),
        (400, None, "Acme is asleep; your account has been suspended", NotSent, Reason.PROVIDER),
        # Words that tell nothing leave it to the status, and then to what is otherwise.
        (400, "brand_new", "No such field", MessageRejected, Reason.PROVIDER),
        (403, "brand_new", "No such field", AccountError, Reason.PERMISSION),
        (429, "brand_new", None, Throttled, Reason.RATE),
        (422, "brand_new", "No such field", MessageRejected, Reason.CONTENT),
        # Words make nothing sure that is not, and a success that is none stays unknown.
        (500, None, SUSPENDED, OutcomeUnknown, Reason.PROVIDER),
        (500, "brand_new", SUSPENDED, OutcomeUnknown, Reason.PROVIDER),
        (400, "internal_9", SUSPENDED, OutcomeUnknown, Reason.PROVIDER),
        (200, "brand_new", SUSPENDED, OutcomeUnknown, Reason.PROVIDER),
        (200, None, SUSPENDED, OutcomeUnknown, Reason.PROVIDER),
    ],
)
def test_where_the_cause_is_open_the_words_tell_it(status, code, words, kind, reason):
    """The account's trouble wears any status and any code."""
    error = told(ACME, status, code, words)
    assert (type(error), error.reason) == (kind, reason)
    assert (error.code, error.status, error.detail) == (code, status, words)


@pytest.mark.parametrize(("status", "code"), [(401, None), (400, "bad_key")])
def test_the_connectors_own_hint_stays_where_the_words_tell_the_same(status, code):
    """What holds at any provider says less of what to do."""
    assert told(ACME, status, code, "The API key is invalid").hint == "make a new key at Acme"
    assert told(ACME, status, code, SUSPENDED).hint != "make a new key at Acme"


def test_codes_are_wide_whatever_their_case_where_codes_have_none():
    """As rows are found."""
    answers = Answers(
        provider="Acme", message_id=member("id"), code=member("error"), words=member("words"), meanings={"Invalid": CONTENT},
        wide={"Invalid"}, any_case=True,
    )  # fmt: skip
    assert told(answers, 400, "INVALID", SUSPENDED).reason == Reason.ACCOUNT
    assert told(answers, 400, "INVALID", "too short").reason == Reason.CONTENT


def test_words_can_be_left_unasked():
    """By a connector whose other side may say anything."""
    answers = Answers(provider="Acme", message_id=member("id"), code=member("error"), words=member("words"), spoken=None)
    for code in (None, "brand_new"):
        error = told(answers, 400, code, SUSPENDED)
        assert (type(error), error.reason) == (MessageRejected, Reason.PROVIDER)
