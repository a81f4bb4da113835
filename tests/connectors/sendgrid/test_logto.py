"""Every captured case of Logto's SendGrid connector, met or different on purpose: docs/differences-from-logto.md."""

import pytest
from logto_cases import differences, email_of, outcome_of, paths_of_problems

from authmail import AccountError, ConfigError, Mailer, OutcomeUnknown, Receipt, Throttled
from authmail_sendgrid import SendGridConfig, send_email

SENDGRID = "sendgrid-email-service"
NONCE = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def cases(vectors):
    return lambda name: [case for case in vectors(f"logto/{name}")["cases"] if case["connector"] == "sendgrid-email"]


#: Case → paths of our problems, where they are others than Logto's.
DIFFERENT_PROBLEMS = {
    "config-sendgrid-email-34": [],  # null is the same as leaving an optional key out
    "config-sendgrid-email-36": ["apiKey"],  # an empty key cannot work
}


def test_every_config_is_accepted_or_refused_alike(cases):
    """The same paths have a problem, but for the cases named above."""
    found = cases("config_validation")
    assert len(found) == 18
    for case in found:
        paths = paths_of_problems(SENDGRID, case["config"])
        expected = [issue["path"] for issue in case.get("issues", [])]
        assert paths == DIFFERENT_PROBLEMS.get(case["id"], expected), case["label"]


TO = [{"to": [{"email": "user@example.com"}]}]  # the sender's name is no name of the recipient
ACME = {"email": "noreply@example.com", "name": "Acme Auth"}  # the configured name stays where a template has none


def parts(text, html):
    return [{"type": "text/plain", "value": text}, {"type": "text/html", "value": html}]


#: Case → field → what we send instead. Of every request: both parts, an id of ours, no tracking.
DIFFERENT_FIELDS = {
    "wire-sendgrid-email-02-fallback-generic": {"content": parts("Generic: 654321", "<p>Generic: <b>654321</b></p>")},
    "wire-sendgrid-email-04-invitation": {
        "content": parts(
            "Join (https://app.example.com/accept?x=1&y=2)", '<a href="https://app.example.com/accept?x=1&amp;y=2">Join</a>'
        ),
    },
    "wire-sendgrid-email-06-i18n-html-full": {
        "personalizations": TO,
        "from": {"email": "brand@example.com", "name": "Web & Co"},
        "reply_to": {"email": "help@example.com", "name": "Support Acme Inc"},
        "content": parts("Web & Co\n\n111111", "<h1>Web &amp; Co</h1><p>111111</p>"),
    },
    "wire-sendgrid-email-08-i18n-minimal": {"personalizations": TO, "from": ACME, "content": parts("123456", "<i>123456</i>")},
    "wire-sendgrid-email-10-i18n-throws": {"content": parts("SignIn: 123456", "<p>SignIn: <b>123456</b></p>")},
    "wire-sendgrid-email-12-i18n-crlf-in-value": {
        "personalizations": TO,
        # No line breaks in names and subjects, and nothing in a stranger's words that becomes an address or link.
        "from": {"email": "brand@example.com", "name": "Evil Bcc: evil example.\u200acom"},
        "reply_to": {"email": "help@example.com", "name": "Support O X-Injected: 1"},
        "subject": "Bonjour 1 Bcc: evil@example.com",
        "content": parts(
            "Evil Bcc: evil@\u200aexample.\u200acom\n\n1 Bcc: evil@example.com",
            "<h1>Evil Bcc: evil@\u200aexample.\u200acom</h1><p>1\r\nBcc: evil@example.com</p>",
        ),
    },
    "wire-sendgrid-email-14-no-fromname-i18n": {
        "from": {"email": "brand@example.com", "name": "Web & Co"},
        "reply_to": {"email": "help@example.com", "name": "Support Acme Inc"},
        "content": parts("Web & Co\n\n111111", "<h1>Web &amp; Co</h1><p>111111</p>"),
    },
}
ADDED = {"custom_args", "tracking_settings"}


async def test_every_request_is_the_same(cases):
    """Address, credentials and fields, but for those named above."""
    found = cases("wire_http")
    assert len(found) == 7
    for case in found:
        (captured,) = case["requests"]
        email = await email_of(SENDGRID, case)
        ours = send_email(email, SendGridConfig.from_dict(case["config"]), NONCE)
        assert (captured["method"], captured["url"]) == ("POST", ours.url)
        assert dict(captured["headers"])["authorization"] == ours.headers["Authorization"]
        theirs = captured["body_json"]
        different = differences(ours.json, theirs)
        assert {key: value for key, value in different.items() if key not in ADDED} == DIFFERENT_FIELDS.get(case["id"], {}), case[
            "id"
        ]


#: Case → what we raise where Logto's connector raises `general`.
OUTCOMES = {
    "outcome-sendgrid-email-03": AccountError,  # a field of the sender's
    "outcome-sendgrid-email-05": AccountError,
    "outcome-sendgrid-email-07": Throttled,
    "outcome-sendgrid-email-09": OutcomeUnknown,
    "outcome-sendgrid-email-11": ConfigError,
    "outcome-sendgrid-email-13": ConfigError,
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
                Mailer(SENDGRID, lacking)
            continue
        outcome, asked = await outcome_of(SENDGRID, config, case["response"])
        assert asked == case["request_count"], case["id"]
        assert type(outcome) is (Receipt if case["outcome"]["ok"] else OUTCOMES[case["id"]]), case["id"]
