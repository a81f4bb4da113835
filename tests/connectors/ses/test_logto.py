"""Every captured case of Logto's SES connector, met or different on purpose: docs/differences-from-logto.md."""

import json
from datetime import UTC, datetime

import pytest
from logto_cases import email_of, outcome_of

import authmail
from authmail import AccountError, ConfigError, OutcomeUnknown, Receipt
from authmail.outcomes import ConnectionCut
from authmail_ses.config import SESConfig
from authmail_ses.request import send_email
from authmail_ses.signing import canonical_request, signature

SES = "aws-ses-mail"
NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def cases(vectors):
    return lambda name: [case for case in vectors(f"logto/{name}")["cases"] if case["connector"] == "aws-ses"]


#: Case → what has a problem besides: SES takes no mail without a sender, and there is no host without a region.
REFUSED = {
    "config-aws-ses-02": ["emailAddress"],
    "config-aws-ses-10": ["emailAddress"],
    "config-aws-ses-32": ["region"],
}


def test_every_config_is_accepted_or_refused_alike(cases):
    """The very same paths have a problem, but for those named above."""
    connector, found = authmail.get_connector(SES), cases("config_validation")
    assert len(found) == 18
    for case in found:
        paths = []
        try:
            connector.validate_config(case["config"])
        except ConfigError as error:
            paths = [problem.path.replace("[", ".").replace("]", "") for problem in error.problems]
        expected = [issue["path"] for issue in case.get("issues", [])] + REFUSED.get(case["id"], [])
        assert {*paths} == {*expected}, case["label"]


#: Case → fields that differ besides those of every request, which are charset, text part and tracking.
DIFFERENT = {
    # sendFrom and replyTo count.
    "wire-aws-ses-06-i18n-html-full": {"FromEmailAddress", "ReplyToAddresses", "Html"},
    # No line breaks in a header, nor words of strangers in an address.
    "wire-aws-ses-12-i18n-crlf-in-value": {"FromEmailAddress", "ReplyToAddresses", "Subject", "Html"},
    # Escaped.
    "wire-aws-ses-04-invitation": {"Html"},
}
#: SES refuses it, so authmail does with the config.
NOT_SENT = {"wire-aws-ses-14-no-from"}


def fields(body):
    """The fields of a request, flat; texts without their charset."""
    content = body["Content"]["Simple"]
    texts = {"Subject": content["Subject"], **content["Body"]}
    flat = {name: value for name, value in body.items() if name != "Content"}
    return flat | {name: text["Data"] for name, text in texts.items()}


async def test_every_request_is_the_same(cases):
    """Address and fields, but for those named above."""
    found = [case for case in cases("wire_http") if case["id"] not in NOT_SENT]
    assert len(found) == 6
    for case in found:
        (captured,) = case["requests"]
        email = await email_of(SES, case)
        ours = send_email(email, SESConfig.from_dict(case["config"]), now=NOW)
        assert (captured["method"], captured["url"]) == ("POST", ours.url)
        sent, theirs = fields(json.loads(ours.body)), fields(json.loads(captured["body"]))
        assert sent.pop("ConfigurationOverrides")
        assert sent.pop("Text")
        different = {name for name in sent.keys() | theirs.keys() if sent.get(name) != theirs.get(name)}
        assert different == DIFFERENT.get(case["id"], set()), case["id"]


def test_every_signature_is_the_same(cases):
    """Over the same request the SDK that Logto uses and authmail sign the same."""
    for case in cases("wire_http"):
        (captured,) = case["requests"]
        told = {name.lower(): value for name, value in captured["headers"]}
        names = told["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        signed = {name: told[name] for name in names}
        text = canonical_request("POST", "/v2/email/outbound-emails", "", signed, captured["body"].encode())
        scope = told["authorization"].partition("/")[2].partition(",")[0]
        proof = signature(text, case["config"]["accessKeySecret"], scope, told["x-amz-date"])
        assert told["authorization"].endswith(f"Signature={proof}"), case["id"]


#: Case → what we raise where Logto's connector raises `invalid_response`, or lets the client's error through.
OUTCOMES = {
    "outcome-aws-ses-03": AccountError,
    "outcome-aws-ses-05": AccountError,
    "outcome-aws-ses-07": OutcomeUnknown,
    "outcome-aws-ses-09": ConnectionCut,
}


async def test_every_answer_is_understood(cases):
    """Over a real connection: success is the same id, every failure has an outcome of its own; nothing is sent twice."""
    found = cases("provider_outcomes")
    assert len(found) == 6
    config = cases("wire_http")[0]["config"]
    for case in found:
        kind = "SomethingNew" if "unknown message type" in case.get("note", "") else "SignIn"
        outcome, asked = await outcome_of(SES, config, case["response"], kind)
        assert asked == 1, case["id"]
        if case["id"] in OUTCOMES:
            assert type(outcome) is OUTCOMES[case["id"]], case["id"]
        else:
            assert outcome == Receipt(case["outcome"]["returned"], connector=SES), case["id"]
