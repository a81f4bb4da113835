import pickle

import pytest

from authmail import (
    AccountError,
    AccountReport,
    AuthmailError,
    ConfigError,
    Limited,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Phase,
    Problem,
    Reason,
    Receipt,
    SendError,
    TemplateError,
    Throttled,
)
from authmail.http.reply import retry_after
from authmail.outcomes import ConnectionCut, NoAnswerInTime, NotConnected, NotSentInTime

KINDS = [
    MessageRejected, TemplateError, Throttled, Limited, AccountError, NotSent, NotConnected, NotSentInTime, OutcomeUnknown, ConnectionCut,
    NoAnswerInTime,
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (MessageRejected, ValueError),
        (TemplateError, MessageRejected),
        (Limited, Throttled),
        (NotConnected, ConnectionError),
        (NotSentInTime, TimeoutError),
        (ConnectionCut, ConnectionError),
        (NoAnswerInTime, TimeoutError),
        (NotConnected, NotSent),
        (NotSentInTime, NotSent),
        (ConnectionCut, OutcomeUnknown),
        (NoAnswerInTime, OutcomeUnknown),
        (ConfigError, ValueError),
        (SendError, AuthmailError),
    ],
)
def test_kinds_are_what_they_mean(kind, builtin):
    """Each kind is its outcome, and the builtin error that fits."""
    assert issubclass(kind, builtin)


def test_only_two_of_the_outcomes_allow_another_try_at_once():
    """The five outcomes do not overlap: a program that catches one never gets another."""
    outcomes = (MessageRejected, Throttled, AccountError, NotSent, OutcomeUnknown)
    for kind in KINDS:
        assert sum(issubclass(kind, outcome) for outcome in outcomes) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_pickles_with_every_attribute(kind):
    """An error that crosses a process keeps all it says."""
    error = kind(
        "a hint",
        reason="rate",
        phase="after",
        code="C",
        status=400,
        request_id="R",
        retry_after=2.5,
        detail="words",
        connector="acme",
    )
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert copy.to_dict() == error.to_dict()
    assert str(copy) == str(error)
    assert (copy.reason, copy.phase) == (Reason.RATE, Phase.AFTER)


def test_text_names_connector_outcome_and_cause_first():
    """str() begins with the connector, and holds code, status, delay, hint and the provider's words."""
    error = Throttled("slow down", code="Throttling.User", status=400, retry_after=3, detail="flow control", connector="acme")
    assert str(error) == (
        "acme: throttled (rate, Throttling.User, status 400, retry after 3 s): slow down [the provider said: flow control]"
    )


def test_text_has_no_empty_parts():
    """What an error lacks is not there, and leaves no gap."""
    assert str(NotSent()) == "not sent (provider)"
    assert str(SendError("a hint")) == "failed (provider): a hint"


def test_the_words_of_outcomes_are_fixed():
    """Hosts store and compare them: to_dict() gives them to other programs."""
    assert " ".join(Reason) == (
        "recipient suppressed content template message credentials permission sender quota rate clock account endpoint config "
        "network timeout provider connector"
    )
    assert list(Phase) == ["before", "during", "after"]
    assert [kind.outcome for kind in (MessageRejected, Throttled, AccountError, NotSent, OutcomeUnknown, SendError)] == [
        "rejected", "throttled", "account", "not sent", "unknown", "failed",
    ]  # fmt: skip


def test_an_error_has_its_hint_as_argument():
    """As every exception has, however it was given."""
    assert NotSent("a hint").args == NotSent(hint="a hint").args == ("a hint",)


def test_provider_words_are_cut():
    """A provider's page of text does not fill the log."""
    assert len(AccountError(detail="x" * 10_000).detail) == 501
    assert AccountError(detail="x" * 500).detail == "x" * 500


def test_an_unknown_reason_is_refused():
    """A misspelt reason is a bug of the connector's author, found by the first test."""
    with pytest.raises(ValueError, match="credental"):
        AccountError(reason="credental")


def test_config_error_lists_every_problem():
    """str() of a ConfigError has a line for each problem, with path, message and hint."""
    error = ConfigError([Problem("a", "is required", "see there"), Problem("", "is no object")])
    assert str(error) == "2 problems in the config:\n  a: is required (see there)\n  is no object"
    assert str(ConfigError(error.problems[1:])) == "1 problem in the config:\n  is no object"
    assert pickle.loads(pickle.dumps(ConfigError(problem for problem in error.problems))).problems == error.problems


def test_an_account_report_may_be_empty():
    """Its warnings are a tuple, from whatever they were gathered in."""
    assert (AccountReport().facts, AccountReport().warnings) == ({}, ())
    assert AccountReport({"Quota": "9"}, iter([Problem("a", "b")])).warnings == (Problem("a", "b"),)


def test_receipt_is_a_value():
    """Receipts compare by what they hold and pickle."""
    receipt = Receipt("m", "r", connector="acme")
    assert pickle.loads(pickle.dumps(receipt)) == receipt


def test_a_page_of_markup_is_no_detail():
    """Error pages of proxies say nothing that helps, and may repeat the request."""
    assert NotSent("x", detail="<!DOCTYPE html><html>...").detail is None
    assert NotSent("x", detail="  <html>").detail is None
    assert NotSent("x", detail="<b> is not allowed").detail == "<b> is not allowed"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (3, 3.0),
        ("3", 3.0),
        (0, 0.0),
        (1e12, 1e9),
        (float("nan"), None),
        (float("inf"), None),
        (-1, None),
        pytest.param(10**5000, None, id="of 5000 digits"),
        ("soon", None),
        (object(), None),
        (None, None),
    ],
)
def test_seconds_to_wait_are_a_sensible_number_or_none(given, kept):
    """Whatever a connector read out of an answer: a wait of nan would never end."""
    error = Throttled("too fast", retry_after=given)
    assert error.retry_after == kept
    assert error.afresh().retry_after == kept
    assert str(error)


@pytest.mark.parametrize("status", [pytest.param(10**5000, id="of 5000 digits"), "429", 4.2, None])
def test_a_status_is_a_small_number_or_none(status):
    """A number of five thousand digits cannot even be printed."""
    assert Throttled("too fast", status=status).status is None
    assert str(Throttled("too fast", status=status))


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 01 Jan 10000000000000000000 00:00:00 GMT",
        "Mon, 01 Jan 9999 23:59:59 -9999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "٣",
        "nan",
        "-5",
    ],
)
def test_a_header_of_no_calendar_is_left_out(value):
    """Or it is over long ago."""
    assert retry_after({"Retry-After": value}) in (None, 0.0)
