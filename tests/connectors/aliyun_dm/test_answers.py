import json
from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict

from authmail import AccountError, Email, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail_aliyun_dm.answers import ANSWERS
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import single_send_mail


def request_of(raw, signature="v3"):
    config = AliyunDMConfig.from_dict(raw | {"signature": signature})
    return single_send_mail(Email("a@b.c", "s", html="CODE-CANARY"), config, nonce="n", now=datetime.now(UTC))


@pytest.fixture
def request_sent(raw):
    return request_of(raw)


def outcome(request, status, body, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), request)
    except SendError as error:
        return error


def test_success_needs_an_id(request_sent):
    """A 2xx with an EnvId, and nothing less."""
    assert outcome(request_sent, 200, {"EnvId": "e", "RequestId": "r"}) == Receipt("e", "r")
    assert outcome(request_sent, 200, {"envid": "e"}) == Receipt("e")
    for code in ("OK", "Success", "200"):
        assert outcome(request_sent, 200, {"EnvId": "e", "Code": code}) == Receipt("e")


@pytest.mark.parametrize(
    "body",
    [
        {"RequestId": "r"}, {"EnvId": ""}, {"EnvId": None}, {"EnvId": 5}, {"EnvId": "e", "Code": "InvalidBody"}, [], None, "EnvId", b"", b"<html>ok</html>",
        b"{", b"\xff", b"[" * 100_000, b'{"EnvId": "e"', 1,
    ],
)  # fmt: skip
def test_what_is_not_understood_is_unknown(request_sent, body):
    """Never a success that was not read as one; what is known is told."""
    error = outcome(request_sent, 200, body)
    assert isinstance(error, OutcomeUnknown)
    assert error.status == 200


@pytest.mark.parametrize(
    ("code", "status", "kind", "reason"),
    [
        ("MissingParameter", 400, AccountError, Reason.CONFIG),
        ("MissingToAddress", 400, AccountError, Reason.CONFIG),
        ("InvalidMailAddress.NotFound", 404, AccountError, Reason.SENDER),
        ("InvalidMailAddress.NotFound", 400, AccountError, Reason.SENDER),
        ("InvalidMailAddressStatus.Malformed", 400, AccountError, Reason.SENDER),
        ("InvalidMailAddressDomain.Malformed", 400, AccountError, Reason.SENDER),
        ("InvalidToAddress", 400, MessageRejected, Reason.RECIPIENT),
        ("InvalidToAddress.Spam", 400, MessageRejected, Reason.SUPPRESSED),
        ("InvalidBody", 400, MessageRejected, Reason.CONTENT),
        ("InvalidSubject.Malformed", 400, MessageRejected, Reason.CONTENT),
        ("InvalidFromALias.Malformed", 400, AccountError, Reason.SENDER),
        ("InvalidSendMail.Spam", 400, AccountError, Reason.CONTENT),
        ("InvalidUser.NotFound", 404, AccountError, Reason.ACCOUNT),
        ("InvalidAccessKeyId.NotFound", 404, AccountError, Reason.CREDENTIALS),
        ("InvalidSecurityToken.Expired", 403, AccountError, Reason.CREDENTIALS),
        ("SignatureDoesNotMatch", 400, AccountError, Reason.CREDENTIALS),
        ("Forbidden.RAM", 403, AccountError, Reason.PERMISSION),
        ("NoPermission", 403, AccountError, Reason.PERMISSION),
        ("InvalidTimeStamp.Expired", 400, AccountError, Reason.CLOCK),
        ("InvalidApi.NotFound", 404, AccountError, Reason.ENDPOINT),
        ("InvalidQuota.Day", 400, AccountError, Reason.QUOTA),
        ("InsufficientBalance", 400, AccountError, Reason.QUOTA),
        ("Throttling", 400, Throttled, Reason.RATE),
        ("Throttling.User", 400, Throttled, Reason.RATE),
        ("Throttling.Whatever", 503, Throttled, Reason.RATE),
        ("ServiceUnavailable", 503, NotSent, Reason.PROVIDER),
        ("SignatureNonceUsed", 400, OutcomeUnknown, Reason.PROVIDER),
        ("InternalError", 500, OutcomeUnknown, Reason.PROVIDER),
        ("InvalidToAddress", 500, MessageRejected, Reason.RECIPIENT),
        ("BrandNew.Code", 400, MessageRejected, Reason.PROVIDER),
        ("BrandNew.Code", 500, OutcomeUnknown, Reason.PROVIDER),
        ("BrandNew.Code", 503, NotSent, Reason.PROVIDER),
    ],
)
def test_the_code_decides(request_sent, code, status, kind, reason):
    """Whatever the status; unknown codes are refused on a 4xx and unknown on a 5xx. Ids and words are kept."""
    error = outcome(request_sent, status, {"Code": code, "Message": "words", "RequestId": "R"})
    assert type(error) is kind
    assert (error.reason, error.code, error.status, error.request_id, error.detail) == (reason, code, status, "R", "words")
    assert error.hint


def test_only_a_2xx_is_a_success(request_sent):
    """An id alone is none, and a code with any other status is read as an error's."""
    for status, kind in ((199, OutcomeUnknown), (300, AccountError)):
        assert isinstance(outcome(request_sent, status, {"EnvId": "e"}), kind)
        assert isinstance(outcome(request_sent, status, {"EnvId": "e", "Code": "InvalidBody"}), MessageRejected)
    assert isinstance(outcome(request_sent, 299, {"EnvId": "e", "Code": "OK"}), Receipt)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"oops", MessageRejected),
        (403, b"[]", AccountError),
        (502, b"<html>bad gateway</html>", OutcomeUnknown),
        (503, b"", OutcomeUnknown),
        (503, b"<html>busy</html>", OutcomeUnknown),
    ],
)
def test_an_answer_without_a_code_goes_by_its_status(request_sent, status, body, kind):
    """Something in between may have answered: a 4xx was accepted by nobody, a 5xx tells nothing, a 503 neither."""
    error = outcome(request_sent, status, body)
    assert isinstance(error, kind)
    assert (error.status, error.detail) == (status, None)


@pytest.mark.parametrize(
    ("code", "kind", "seconds"),
    [
        ("Throttling.User", Throttled, 3.0),
        ("ServiceUnavailable", NotSent, 3.0),
        ("Unheard", Throttled, 3.0),
        ("InvalidBody", MessageRejected, 3.0),
    ],
)
def test_the_providers_delay_is_honoured(request_sent, code, kind, seconds):
    """x-acs-retry-after is in milliseconds; with it an unknown code is throttling, as the official SDK has it."""
    error = outcome(request_sent, 400, {"Code": code}, {"x-acs-retry-after": "3000"})
    assert isinstance(error, kind)
    assert error.retry_after == seconds
    assert outcome(request_sent, 400, {"Code": "Throttling"}, {"x-acs-retry-after": "1"}).retry_after == 0.001
    for nonsense in ("", "-1", "0", "soon", "9" * 20, "9" * 10, "²", "٣"):
        assert outcome(request_sent, 400, {"Code": "Throttling"}, {"x-acs-retry-after": nonsense}).retry_after is None


def test_reads_xml(request_sent):
    """What V1 answers without Format=JSON; a document type is not parsed."""
    body = b'<?xml version="1.0"?><Error><RequestId>R</RequestId><Code>InvalidToAddress</Code><Message>wrong</Message></Error>'
    error = outcome(request_sent, 400, body)
    assert (type(error), error.code, error.request_id) == (MessageRejected, "InvalidToAddress", "R")
    assert outcome(request_sent, 400, body.partition(b"?>")[2]).code is None
    assert outcome(request_sent, 400, b'<?xml version="1.0"?><Error><Code/><Message>wrong</Message></Error>').code is None
    assert outcome(request_sent, 400, b'<?xml version="1.0"?><Error>').code is None
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><Error><Code>&a;</Code></Error>'
    assert outcome(request_sent, 400, bomb).code is None


@pytest.mark.parametrize("signature", ["v1", "v3"])
@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "IncompleteSignature", "Signature"])
@pytest.mark.parametrize("phrase", ["server string to sign is:", "Server String To Sign Is : [", "stringToSign is:"])
def test_a_wrong_secret_is_told_from_a_wrong_signature(raw, signature, code, phrase):
    """The server echoes what it signed: the same text means the secret, another one that something was changed."""
    request = request_of(raw, signature)
    message = f"Specified signature is not matched with our calculation. {phrase}"
    same = outcome(request, 400, {"Code": code, "Message": f"{message}{request.signed()}]"})
    assert same.hint == "the AccessKey secret is wrong: both sides signed the same text"
    other = outcome(request, 400, {"Code": code, "Message": f"{message}{request.signed()}0"})
    assert other.hint.startswith("the request was changed on its way, or the signature is wrong")
    for bare in ({"Code": code}, {"Code": code, "Message": "bad sig"}):
        assert "check the secret first" in outcome(request, 400, bare).hint
    for error in (same, other):
        assert error.detail == "Specified signature is not matched with our calculation"
        assert "CANARY" not in str(error.to_dict())


@pytest.mark.parametrize(
    "phrase", ["server string to sign is:", "Server String To Sign Is :", "string to sign is:[", "server canonicalRequest is:["]
)
def test_the_echo_is_cut_however_it_begins(request_sent, phrase):
    """The rest of the message may hold the whole mail."""
    error = outcome(request_sent, 400, {"Code": "IncompleteSignature", "Message": f"No match. {phrase}POST&%2F&CODE-CANARY"})
    assert error.detail == "No match"
    assert outcome(request_sent, 400, {"Code": "IncompleteSignature", "Message": f"{phrase}POST"}).detail is None
