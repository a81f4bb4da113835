"""Every captured case of Logto's Postmark connector, met or different on purpose: docs/differences-from-logto.md."""

import json

import pytest
from logto_cases import Lookup, outcome_of

import authmail
from authmail import (
    ConfigError,
    Egress,
    Mailer,
    Message,
    MessageRejected,
    OutcomeUnknown,
    Receipt,
    Throttled,
)
from authmail.outcomes import ConnectionCut
from authmail.testing.fault_server import FaultServer, request

POSTMARK = "postmark-mail"
TYPES = ("SignIn", "Register", "ForgotPassword", "Generic")
CONFIG = {
    "serverToken": "pm-secret-token",
    "fromEmail": "noreply@example.com",
    "templates": [{"usageType": name, "templateAlias": f"alias-{name}"} for name in TYPES],
}


@pytest.fixture
def cases(vectors):
    return lambda name: [case for case in vectors(f"logto/{name}")["cases"] if case["connector"] == "postmark"]


#: Case → the paths that have a problem here, where they are not Logto's.
DIFFERENT_PATHS = {
    # All four that are missing are told at once, and a template without an alias is one of authmail's own.
    "config-postmark-02": ["serverToken", "fromEmail", *["templates"] * 4],
    "config-postmark-24": [f"templates.{index}.{key}" for index in range(4) for key in ("subject", "content")],
    "config-postmark-30": ["serverToken"],  # an empty token cannot work
}


def test_every_config_is_accepted_or_refused_alike(cases):
    """The very same paths have a problem, but for those named above."""
    connector = authmail.get_connector(POSTMARK)
    found = cases("config_validation")
    assert len(found) == 15
    for case in found:
        paths = []
        try:
            connector.validate_config(case["config"])
        except ConfigError as error:
            paths = [problem.path.replace("[", ".").replace("]", "") for problem in error.problems]
        expected = [issue["path"] for issue in case.get("issues", [])]
        assert paths == DIFFERENT_PATHS.get(case["id"], expected), case["label"]


#: Of every request: Postmark's own setting of the server would count else, and rewrite links.
ALWAYS = {"TrackOpens": False, "TrackLinks": "None"}
#: Cases in which the host has a template of its own: it is rendered, and Logto ignores it. Case → subject.
RENDERED = {
    "wire-postmark-06-i18n-html-full": "Bonjour 111111",
    "wire-postmark-08-i18n-minimal": "Min 123456",
    "wire-postmark-12-i18n-crlf-in-value": "Bonjour 1 Bcc: evil@example.com",
}


#: Case → value → what is sent instead: what a stranger typed becomes no link and no address in a mail.
CLEANED = {"wire-postmark-04-invitation": {"inviter.primaryEmail": "bob@\u200aexample.\u200acom"}}


def leaves(value, path=""):
    """Return path → value of everything in an object."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {place: leaf for key, inner in value.items() for place, leaf in leaves(inner, f"{path}.{key}".lstrip(".")).items()}


async def test_every_request_is_the_same(cases):
    """Address, sender, alias and values, but for those named above; over a real connection."""
    found = cases("wire_http")
    assert len(found) == 6
    for case in found:
        [captured] = case["requests"]
        plugins = [Lookup(case["i18n_template"])] if "i18n_template" in case else []
        answer = json.dumps({"MessageID": "m-1", "ErrorCode": 0}).encode()
        steps = [
            request,
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer),
        ]
        async with FaultServer(steps) as server:
            config = case["config"] | {"endpoint": server.url}
            async with Mailer(POSTMARK, config, plugins=plugins, egress=Egress.ANY) as mailer:
                await mailer.send(Message.from_dict(case["message"]))
            await server.left()
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        sent, line = json.loads(body), head.split(b"\r\n")[0].decode()
        headers = {name.lower(): value for name, value in (part.split(": ", 1) for part in head.decode().split("\r\n")[1:])}
        for name, value in captured["headers"]:
            if name.lower() in ("accept", "content-type", "x-postmark-server-token"):
                assert headers[name.lower()] == value
        if case["id"] in RENDERED:
            assert (line, sent["Subject"]) == ("POST /email HTTP/1.1", RENDERED[case["id"]]), case["id"]
            continue
        assert (line, captured["url"]) == ("POST /email/withTemplate HTTP/1.1", "https://api.postmarkapp.com/email/withTemplate")
        model, theirs = leaves(sent.pop("TemplateModel")), leaves(captured["body_json"].pop("TemplateModel"))
        assert sent == captured["body_json"] | ALWAYS, case["id"]
        different = {path: model.get(path) for path in theirs.keys() | model.keys() if model.get(path) != theirs.get(path)}
        assert different == CLEANED.get(case["id"], {}), case["id"]


#: Case → what we raise. Logto's connector takes the first and second for success, and raises `general` for the others.
OUTCOMES = {
    "outcome-postmark-01": OutcomeUnknown,  # a success without an id
    "outcome-postmark-03": OutcomeUnknown,
    "outcome-postmark-05": MessageRejected,
    "outcome-postmark-07": Throttled,
    "outcome-postmark-09": OutcomeUnknown,
    "outcome-postmark-11": ConnectionCut,
}


async def test_every_answer_is_understood(cases):
    """Success has a Receipt, every failure has an outcome of its own, and nothing is asked twice."""
    found = cases("provider_outcomes")
    assert len(found) == 7
    for case in found:
        kind = "SomethingNew" if "unknown message type" in case.get("note", "") else "SignIn"
        outcome, asked = await outcome_of(POSTMARK, CONFIG, case["response"], kind)
        assert asked == case["request_count"], case["id"]
        if case["id"] in OUTCOMES:
            assert type(outcome) is OUTCOMES[case["id"]], case["id"]
        else:
            assert outcome == Receipt("m", connector=POSTMARK)
