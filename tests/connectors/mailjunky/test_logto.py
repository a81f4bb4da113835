"""Every captured case of Logto's MailJunky connector, met or different on purpose: docs/differences-from-logto.md."""

import pytest
from logto_cases import differences, email_of, outcome_of, paths_of_problems

from authmail import AccountError, OutcomeUnknown, Receipt
from authmail.outcomes import ConnectionCut
from authmail_mailjunky import MailJunkyConfig, send_email

MAILJUNKY = "mailjunky-email-service"


@pytest.fixture
def cases(vectors):
    return lambda name: [case for case in vectors(f"logto/{name}")["cases"] if case["connector"] == "mailjunky"]


#: Case → paths of our problems, where they are others than Logto's.
DIFFERENT_PROBLEMS = {
    "config-mailjunky-19": [],  # a host may have types of its own: a near one warns
    "config-mailjunky-21": ["templates"],  # types in another case are the host's own, so the required ones are missing
}


def test_every_config_is_accepted_or_refused_alike(cases):
    """The same paths have a problem, but for the cases named above."""
    found = cases("config_validation")
    assert len(found) == 17
    for case in found:
        paths = paths_of_problems(MAILJUNKY, case["config"])
        expected = [issue["path"] for issue in case.get("issues", [])]
        assert paths == DIFFERENT_PROBLEMS.get(case["id"], expected), case["label"]


#: Case → field → what we send instead.
DIFFERENT_FIELDS = {
    "wire-mailjunky-05-special-chars": {
        "to": "o'brien+tag@xn--r8jz45g.jp",  # the form that mail servers know
        "subject": "Generic code $& <b>\"'+% ~*()!é🎉 Bcc: x@y.z",  # no line breaks in a header
        "html": "<p>Generic: <b>$&amp; &lt;b&gt;&quot;&#x27;+% ~*()!é🎉\r\nBcc: x@y.z</b></p>",  # escaped
        "text": "Generic: $& <b>\"'+% ~*()!é🎉 Bcc: x@y.z",
    },
    "wire-mailjunky-07-i18n-plain-nameonly": {"reply_to": "help@example.com"},  # a template's reply address means something
    "wire-mailjunky-11-i18n-missing-context": {
        "from": "Acme <brand@example.com>",  # nobody is shown a placeholder
        "html": "<h1></h1><p>123456</p>",
        "text": "\n\n123456",
        "reply_to": "Support <help@example.com>",
    },
}


async def test_every_request_is_the_same(cases):
    """Address, key and fields, but for those named above."""
    found = cases("wire_http")
    assert len(found) == 6
    for case in found:
        (captured,) = case["requests"]
        ours = send_email(await email_of(MAILJUNKY, case), MailJunkyConfig.from_dict(case["config"]))
        assert (captured["method"], captured["url"]) == ("POST", ours.url)
        assert dict(captured["headers"])["authorization"] == ours.headers["Authorization"]
        assert differences(ours.json, captured["body_json"]) == DIFFERENT_FIELDS.get(case["id"], {}), case["id"]


#: Case → what comes of it, where Logto's connector raises `general`, or takes anything for a success.
OUTCOMES = {
    "outcome-mailjunky-02": OutcomeUnknown,  # a success that is no JSON: nobody knows whose it is
    "outcome-mailjunky-04": AccountError,
    "outcome-mailjunky-06": OutcomeUnknown,
    "outcome-mailjunky-08": ConnectionCut,
    "outcome-mailjunky-10": Receipt,
}


async def test_every_answer_is_understood(cases):
    """Over a real connection, by one request each."""
    found = cases("provider_outcomes")
    assert len(found) == 5
    config = cases("wire_http")[0]["config"]
    for case in found:
        outcome, asked = await outcome_of(MAILJUNKY, config, case["response"])
        assert (type(outcome), asked) == (OUTCOMES[case["id"]], case["request_count"]), case["id"]
