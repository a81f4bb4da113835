"""Every captured case of Logto's Mailgun connector, met or different on purpose: docs/differences-from-logto.md."""

import json
from urllib.parse import parse_qsl

import pytest
from logto_cases import Lookup, differences, outcome_of, paths_of_problems

from authmail import AccountError, Egress, Mailer, Message, OutcomeUnknown, Receipt
from authmail.outcomes import ConnectionCut
from authmail.testing.fault_server import FaultServer, request
from authmail_mailgun.config import MailgunConfig

MAILGUN = "mailgun-email"


@pytest.fixture
def cases(vectors):
    return lambda name: [case for case in vectors(f"logto/{name}")["cases"] if case["connector"] == "mailgun"]


#: Case → paths of our problems, where they are others than Logto's.
DIFFERENT_PROBLEMS = {
    "config-mailgun-19": [],  # any host: a proxy and a test server have names of their own
    "config-mailgun-21": [],  # and ports
    "config-mailgun-23": ["endpoint"],  # a fragment is never meant
    "config-mailgun-25": ["deliveries", "templates"],  # and there is no template then
    "config-mailgun-31": ["deliveries.SignIn.variables"],  # what of it is wrong
    "config-mailgun-37": ["from"],  # no address
    "config-mailgun-39": ["domain"],  # it would lead to another path
}


def test_every_config_is_accepted_or_refused_alike(cases):
    """The same paths have a problem, but for the cases named above."""
    found = cases("config_validation")
    assert len(found) == 20
    for case in found:
        expected = [issue["path"] for issue in case.get("issues", [])]
        assert paths_of_problems(MAILGUN, case["config"]) == DIFFERENT_PROBLEMS.get(case["id"], expected), case["label"]


REPLIES = {"h:Reply-To": "Help 123456 <help@example.com>"}  # placeholders count there, too
#: Case → field → what we send instead. Of every request: both parts, and no tracking.
DIFFERENT_FIELDS = {
    "wire-mailgun-01-signin": REPLIES,
    "wire-mailgun-05-special-chars": {
        "to": "o'brien+tag@xn--r8jz45g.jp",  # mail servers know that form
        "subject": "Generic $& <b>\"'+% ~*()!é🎉 Bcc: x@y.z",  # no line breaks
        # Values are escaped.
        "html": "<p>G $&amp; &lt;b&gt;&quot;&#x27;+% ~*()!é🎉\r\nBcc: x@y.z</p>",
        "text": "G $& <b>\"'+% ~*()!é🎉 Bcc: x@y.z",
    },
    # A name alone keeps the address; plain text is no HTML.
    "wire-mailgun-07-i18n-plain-nameonly": {
        "from": "Brand Web & Co <noreply@mg.example.com>",
        "html": None,
    },
    "wire-mailgun-09-i18n-returns-none": REPLIES,
    # What the payload lacks is empty, and the configured name stays.
    "wire-mailgun-11-i18n-missing-context": {
        "from": "Acme <brand@example.com>",
        "h:Reply-To": "Support <help@example.com>",
        "html": "<h1></h1><p>123456</p>",
        "text": "\n\n123456",
    },
    "wire-mailgun-13-eu-endpoint": REPLIES,
}
#: Case → value → what a template at Mailgun gets instead: what a stranger typed becomes no link and no address in a mail.
CLEANED = {
    "wire-mailgun-03-context": {
        "application.branding.logoUrl": "https:\u200a//\u200acdn.\u200aexample.\u200acom/l.\u200apng",
        "user.primaryEmail": "zoe@\u200aexample.\u200acom",
    }
}
ADDED = {"o:tracking", "o:tracking-clicks", "o:tracking-opens"}
#: The domain leads to another path.
REFUSED = {"wire-mailgun-15-odd-domain": ["domain"]}


def leaves(value, path=""):
    """Return path → value of everything in an object."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {place: leaf for key, inner in value.items() for place, leaf in leaves(inner, f"{path}.{key}".lstrip(".")).items()}


async def test_every_request_is_the_same(cases):
    """Path, credentials and fields, but for those named above; over a real connection."""
    found = cases("wire_http")
    assert len(found) == 8
    for case in found:
        if case["id"] in REFUSED:
            assert paths_of_problems(MAILGUN, case["config"]) == REFUSED[case["id"]]
            continue
        (captured,) = case["requests"]
        plugins = [Lookup(case["i18n_template"])] if "i18n_template" in case else []
        answer = b'{"id": "<m@mg.example.com>", "message": "Queued. Thank you."}'
        steps = [request, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)]
        async with FaultServer(steps) as server:
            config = case["config"] | {"endpoint": server.url}
            async with Mailer(MAILGUN, config, plugins=plugins, egress=Egress.ANY) as mailer:
                await mailer.send(Message.from_dict(case["message"]))
            await server.left()
        head, _, body = server.requests[0].decode().partition("\r\n\r\n")
        line, *told = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in told)}
        for name in ("authorization", "content-type"):
            assert headers[name] == dict(captured["headers"])[name]
        assert captured["url"].endswith(line.split()[1])
        ours, theirs = dict(parse_qsl(body)), dict(parse_qsl(captured["body"]))
        variables = [leaves(json.loads(fields.pop("h:X-Mailgun-Variables", "{}"))) for fields in (ours, theirs)]
        assert differences(*variables) == CLEANED.get(case["id"], {}), case["id"]
        different = differences(ours, theirs)
        assert {key: value for key, value in different.items() if key not in ADDED} == DIFFERENT_FIELDS.get(case["id"], {}), case[
            "id"
        ]


def test_the_regions_of_logto_are_ours(cases):
    """An endpoint in the config leads where the captured request went."""
    [case] = [one for one in cases("wire_http") if "endpoint" in one["config"]]
    assert MailgunConfig.from_dict(case["config"]).messages_url == case["requests"][0]["url"]


#: Case → what we raise where Logto's connector raises `general`.
OUTCOMES = {
    "outcome-mailgun-02": AccountError,
    "outcome-mailgun-04": AccountError,
    "outcome-mailgun-06": OutcomeUnknown,
    "outcome-mailgun-08": ConnectionCut,
}


async def test_every_answer_is_understood(cases):
    """Over a real connection: success is a Receipt, every failure has an outcome of its own, and nothing is asked twice."""
    found = cases("provider_outcomes")
    assert len(found) == 5
    config = cases("wire_http")[0]["config"]
    for case in found:
        outcome, asked = await outcome_of(MAILGUN, config, case["response"])
        assert asked == case["request_count"], case["id"]
        assert type(outcome) is (Receipt if case["outcome"]["ok"] else OUTCOMES[case["id"]]), case["id"]
