"""Every captured case of Logto's SMTP2GO connector, met or different on purpose: docs/differences-from-logto.md."""

import pytest
from logto_cases import differences, email_of, outcome_of, paths_of_problems

from authmail import AccountError, ConfigError, Mailer, OutcomeUnknown, Receipt, Throttled
from authmail_smtp2go import SMTP2GOConfig, send_email

SMTP2GO = "smtp2go-email-service"
NONCE = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def cases(vectors):
    return lambda name: [case for case in vectors(f"logto/{name}")["cases"] if case["connector"] == "smtp2go-email"]


#: Case → paths of our problems, where they are others than Logto's.
DIFFERENT_PROBLEMS = {
    "config-smtp2go-email-19": [],  # a host may have types of its own: a near one warns
    "config-smtp2go-email-21": [
        "templates"
    ],  # types in another case are types of the host's own, so the required ones are missing
    "config-smtp2go-email-29": [],  # without a type the content is HTML
}


def test_every_config_is_accepted_or_refused_alike(cases):
    """The same paths have a problem, but for the cases named above."""
    found = cases("config_validation")
    assert len(found) == 19
    for case in found:
        paths = paths_of_problems(SMTP2GO, case["config"])
        expected = [issue["path"] for issue in case.get("issues", [])]
        assert paths == DIFFERENT_PROBLEMS.get(case["id"], expected), case["label"]


#: Of every request: the key goes in a header; both parts; SMTP2GO looks at the mail before it accepts.
ALWAYS = {"api_key": None, "fastaccept": False}
NAMED = '"Acme, Inc. <x>" <noreply@example.com>'  # the configured name, quoted and not changed
#: Case → field → what we send instead.
DIFFERENT_FIELDS = {
    "wire-smtp2go-email-01-signin": {"sender": NAMED, "text_body": "SignIn: 123456"},
    "wire-smtp2go-email-03-context": {"sender": NAMED, "text_body": "Register: 111111"},
    "wire-smtp2go-email-05-special-chars": {
        "sender": NAMED,
        "to": ["o'brien+tag@xn--r8jz45g.jp"],  # the form that mail servers know
        "subject": "Generic code $& <b>\"'+% ~*()!é🎉 Bcc: x@y.z",  # no line breaks in a header
        "html_body": "<p>Generic: <b>$&amp; &lt;b&gt;&quot;&#x27;+% ~*()!é🎉\r\nBcc: x@y.z</b></p>",  # escaped
        "text_body": "Generic: $& <b>\"'+% ~*()!é🎉 Bcc: x@y.z",
    },
    "wire-smtp2go-email-07-i18n-plain-nameonly": {},
    "wire-smtp2go-email-09-i18n-returns-none": {"sender": NAMED, "text_body": "SignIn: 123456"},
    "wire-smtp2go-email-11-i18n-missing-context": {
        "sender": '"Acme, Inc. <x>" <brand@example.com>',  # nobody is shown a placeholder
        "html_body": "<h1></h1><p>123456</p>",
        "text_body": "\n\n123456",
        "custom_headers": [{"header": "Reply-To", "value": "Support <help@example.com>"}],
    },
}


async def test_every_request_is_the_same(cases):
    """Address and fields, but for those named above."""
    found = cases("wire_http")
    assert len(found) == 6
    for case in found:
        (captured,) = case["requests"]
        email = await email_of(SMTP2GO, case)
        ours, theirs = send_email(email, SMTP2GOConfig.from_dict(case["config"]), NONCE), captured["body_json"]
        assert (captured["method"], captured["url"]) == ("POST", ours.url)
        assert theirs["api_key"] == ours.headers["X-Smtp2go-Api-Key"]
        different = differences(ours.json, theirs)
        assert different == ALWAYS | DIFFERENT_FIELDS[case["id"]], case["id"]


#: Case → what we raise where Logto's connector raises `general` or `invalid_config`.
OUTCOMES = {
    "outcome-smtp2go-email-03": OutcomeUnknown,
    "outcome-smtp2go-email-05": AccountError,  # words about the key
    "outcome-smtp2go-email-07": Throttled,
    "outcome-smtp2go-email-09": OutcomeUnknown,
    "outcome-smtp2go-email-11": ConfigError,
    "outcome-smtp2go-email-13": ConfigError,
}


async def test_every_answer_is_understood(cases):
    """Over a real connection: success is a Receipt, every failure has an outcome of its own, and a bad config none."""
    found = cases("provider_outcomes")
    assert len(found) == 7
    config = cases("wire_http")[0]["config"]
    for case in found:
        if OUTCOMES.get(case["id"]) is ConfigError:
            lacking = {} if "empty" in case["note"] else config | {"templates": config["templates"][1:]}
            with pytest.raises(ConfigError):
                Mailer(SMTP2GO, lacking)
            continue
        outcome, asked = await outcome_of(SMTP2GO, config, case["response"])
        assert asked == case["request_count"], case["id"]
        assert type(outcome) is (Receipt if case["outcome"]["ok"] else OUTCOMES[case["id"]]), case["id"]
