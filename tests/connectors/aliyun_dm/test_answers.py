import json
from datetime import UTC, datetime

import pytest
from multidict import CIMultiDict

from authmail import AccountError, Email, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail_aliyun_dm.answers import ANSWERS
from authmail_aliyun_dm.common_codes import SOURCES
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.error_codes import TABLE
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


# Every row of the table, and members of its families that nobody has seen.

SENDER, CREDENTIALS, PERMISSION = (
    (AccountError, Reason.SENDER),
    (AccountError, Reason.CREDENTIALS),
    (AccountError, Reason.PERMISSION),
)
ACCOUNT, QUOTA, CLOCK = (AccountError, Reason.ACCOUNT), (AccountError, Reason.QUOTA), (AccountError, Reason.CLOCK)
ENDPOINT, CONFIG, SPAM = (AccountError, Reason.ENDPOINT), (AccountError, Reason.CONFIG), (AccountError, Reason.CONTENT)
RECIPIENT, SUPPRESSED = (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.SUPPRESSED)
CONTENT, TEMPLATE, REFUSED = (
    (MessageRejected, Reason.CONTENT),
    (MessageRejected, Reason.TEMPLATE),
    (MessageRejected, Reason.PROVIDER),
)
RATE, NOT_NOW, UNKNOWN = (Throttled, Reason.RATE), (NotSent, Reason.PROVIDER), (OutcomeUnknown, Reason.PROVIDER)

CODES = {
    # The message.
    "InvalidToAddress": RECIPIENT, "InvalidToAddress.Spam": SUPPRESSED, "EmailFormatError": RECIPIENT, "EmailLengthError": RECIPIENT,
    "InvalidReceiverName.Malformed": RECIPIENT, "InvalidReceiver.NotFound": RECIPIENT, "InvalidBody": CONTENT, "InvalidSubject.Malformed": CONTENT,
    "InvalidTemplate.NotFound": TEMPLATE, "InvalidTemplateName.Malformed": TEMPLATE,
    # The sender and its settings.
    "InvalidMailAddress.NotFound": SENDER, "InvalidMailAddressStatus.Malformed": SENDER, "InvalidMailAddressSendType.Malformed": SENDER,
    "InvalidMailAddressDomain.Malformed": SENDER, "InvalidFromAlias.Malformed": SENDER, "InvalidReplyAddress.Malformed": SENDER,
    "InvalidReplyAddressAlias.Malformed": SENDER, "MissingParameter": CONFIG,
    # Clock, signature.
    "InvalidTimeStamp.Expired": CLOCK, "InvalidTimeStamp.Format": CLOCK, "IllegalTimestamp": CLOCK,
    "SignatureDoesNotMatch": CREDENTIALS, "IncompleteSignature": CREDENTIALS, "Signature": CREDENTIALS, "InvalidSignatureMethod": CONFIG,
    "ContentLengthDoesNotMatch": ENDPOINT, "ContentMD5NotMatched": ENDPOINT,
    # Key, token, rights.
    "InvalidAccessKeyId.NotFound": CREDENTIALS, "InvalidAccessKeyId.Inactive": CREDENTIALS, "InvalidAccessKeyId": CREDENTIALS,
    "NoEnabledAccessKey": CREDENTIALS, "Forbidden.AccessKeyDisabled": CREDENTIALS, "MissingSecurityToken": CREDENTIALS,
    "InvalidSecurityToken.Expired": CREDENTIALS, "InvalidSecurityToken.Malformed": CREDENTIALS, "InvalidSecurityToken.MismatchWithAccessKey": CREDENTIALS,
    "Forbidden": PERMISSION, "Forbidden.RAM": PERMISSION, "Forbidden.NotSupportRAM": PERMISSION, "Forbidden.SubUser": PERMISSION,
    "Forbidden.Unauthorized": PERMISSION, "Forbedden.NotSupportRAM": PERMISSION, "Forbbiden.SubUser": PERMISSION, "ActionUnauthorized": PERMISSION,
    "InvalidAction": PERMISSION, "NoPermission": PERMISSION, "Forbidden.NoPermission": PERMISSION, "Forbidden.RAMUserAccessDenied": PERMISSION,
    "AccessDenied": PERMISSION, "InvalidIP.NotFound": PERMISSION, "Forbidden.RiskControl": PERMISSION, "RiskControl.Refused": PERMISSION,
    "Forbidden.ProhibitedByRiskControl": PERMISSION,
    # The account: its state, bill and quota.
    "InvalidUser.NotFound": ACCOUNT, "InvalidAccount.NotFound": ACCOUNT, "AccountAliyunAccountFrozen": ACCOUNT, "OperationDenied": ACCOUNT,
    "Forbidden.AccountAccessDenied": ACCOUNT, "Forbidden.UserVerification": ACCOUNT, "Forbidden.NotVerified": ACCOUNT,
    "RealNameAuthenticationError": ACCOUNT, "InvalidSendMail.Spam": SPAM, "InsufficientBalance": QUOTA, "InvalidAccountStatus.NotEnoughBalance": QUOTA,
    "Account.Arrearage": QUOTA, "Forbidden.InDebt": QUOTA, "Forbidden.InDebtOverdue": QUOTA, "Forbidden.Arrears": QUOTA, "QuotaExceeded": QUOTA,
    "InvalidQuota.Day": QUOTA,
    # Speed.
    "Throttling": RATE, "Throttling.User": RATE, "Throttling.Api": RATE, "Rejected.Throttling": RATE, "Degrade.Api": RATE,
    # Endpoint, version, action, region, form of the call.
    "InvalidApi.NotFound": ENDPOINT, "InvalidProduct.NotFound": ENDPOINT, "InvalidVersion": ENDPOINT, "InvalidAction.NotFound": ENDPOINT,
    "UnsupportedOperation": ENDPOINT, "NoSuchVersion": ENDPOINT, "InvalidRegion.NotFound": ENDPOINT, "InvalidRegionId.NotFound": ENDPOINT,
    "InvalidProtocol.NeedSsl": ENDPOINT, "UnsupportedHTTPMethod": ENDPOINT, "InvalidParameter.Format": CONFIG, "InvalidParameter.Accept": CONFIG,
    "UnsupportedParameter": CONFIG, "InvalidOwner": CONFIG, "InvalidOwnerId": CONFIG, "InvalidOwnerAccount": CONFIG,
    "InvalidParameter": REFUSED, "InvalidParamater": REFUSED,
    # Not now, or never known.
    "ServiceUnavailable": NOT_NOW, "ServiceUnavailableTemporary": NOT_NOW, "ServiceUnavailable.RegionMaintaining": NOT_NOW,
    "SignatureNonceUsed": UNKNOWN, "InternalError": UNKNOWN, "InternalServiceError": UNKNOWN, "InternalFailure": UNKNOWN, "UnknownError": UNKNOWN,
}  # fmt: skip

#: Made up: what the next year may bring.
MEMBERS = {
    "InvalidToAddress.Long": RECIPIENT, "InvalidReceiver.Malformed": RECIPIENT, "InvalidBody.Empty": CONTENT, "InvalidHtmlBody": CONTENT,
    "InvalidTextBody.TooLong": CONTENT, "InvalidSubject": CONTENT, "InvalidTemplate.Disabled": TEMPLATE, "InvalidTemplateName": TEMPLATE,
    "InvalidMailAddress.Frozen": SENDER, "InvalidMailAddressQuota": SENDER, "InvalidAccountName": SENDER, "InvalidDomain.NotVerified": SENDER,
    "InvalidFromALias.Malformed": SENDER, "InvalidReplyAddress": SENDER, "InvalidTagName.NotFound": CONFIG,
    "InvalidTimeStamp": CLOCK, "InvalidTimestamp.Future": CLOCK, "IllegalTimestamp.X": CLOCK, "RequestTimeTooSkewed": CLOCK, "RequestExpired": CLOCK,
    "Expired": CLOCK, "TimestampTooOld": CLOCK,
    "SignatureX": CREDENTIALS, "SignatureNotMatch": CREDENTIALS, "InvalidSignature.Length": CREDENTIALS, "IncompleteSignature.V3": CREDENTIALS,
    "InvalidSignatureVersion": CONFIG, "UnsupportedSignatureMethod": CONFIG, "SignatureNonceUsed.Again": UNKNOWN,
    "ContentMD5DoesNotMatch": ENDPOINT, "ContentTypeNotSupported": CONFIG,
    "InvalidSignatureMethod.X": CONFIG, "ContentLengthTooLarge": ENDPOINT, "InvalidContentType": CONFIG, "UnsupportedContentType": CONFIG,
    "InvalidAccessKeyId.X": CREDENTIALS, "InvalidAccessKeySecret": CREDENTIALS, "Forbidden.AccessKey": CREDENTIALS, "InvalidStsToken": CREDENTIALS,
    "InvalidSecurityToken.NotYetValid": CREDENTIALS, "SecurityTokenExpired": CREDENTIALS, "ExpiredToken": CREDENTIALS, "AuthenticationFail.NoPermission": CREDENTIALS,
    "Forbidden.SomethingNew": PERMISSION, "NoPermission.Role": PERMISSION, "Unauthorized": PERMISSION, "NotAuthorized.RAM": PERMISSION,
    "AccessDenied.Policy": PERMISSION, "ImplicitDeny": PERMISSION, "OperationDenied.Locked": PERMISSION, "RiskControl.X": PERMISSION, "InvalidIP.Blocked": PERMISSION,
    "InvalidUser.Frozen": ACCOUNT, "InvalidAccount.X": ACCOUNT, "AccountClosed": ACCOUNT, "RealNameRequired": ACCOUNT, "InvalidSendMail.X": SPAM,
    "Account.Arrears": QUOTA, "Arrearage": QUOTA, "OverdueAccount": QUOTA, "InDebt": QUOTA, "ForbiddenDueToArrears": QUOTA, "Forbidden.InDebtX": QUOTA, "Forbidden.Arrearage": QUOTA,
    "InvalidAccount.Arrearage": QUOTA, "Forbidden.Overdue": QUOTA, "UserStatus.Arrears": QUOTA, "InsufficientBalance.X": QUOTA, "NotEnoughBalance": QUOTA,
    "InvalidQuota.Month": QUOTA, "QuotaExceed.Month": QUOTA, "Quota.Day": QUOTA, "DailyQuotaExceeded": QUOTA,
    "Throttling.Y": RATE, "ThrottlingException": RATE, "Rejected.Throttling.User": RATE, "FlowControl": RATE, "TooManyRequests": RATE,
    "InvalidApi.X": ENDPOINT, "InvalidProduct.X": ENDPOINT, "InvalidVersion.NotFound": ENDPOINT, "InvalidAction.X": ENDPOINT, "InvalidRegionId": ENDPOINT,
    "UnsupportedOperation.X": ENDPOINT, "InvalidProtocol.X": ENDPOINT, "UnsupportedHTTPMethod.X": ENDPOINT, "UnsupportedParameter.X": CONFIG,
    "MissingToAddress": CONFIG, "Missing.X": CONFIG, "ServiceUnavailable.X": NOT_NOW, "InternalError.X": UNKNOWN, "InternalServiceError.X": UNKNOWN, "InternalFailureX": UNKNOWN,
    "InvalidParameter.X": REFUSED, "BrandNew.Code": REFUSED,
}  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), [*CODES.items(), *MEMBERS.items()])
@pytest.mark.parametrize("status", [400, 500])
def test_the_code_decides(request_sent, code, expected, status):
    """Whatever the status, by itself or by its family. Ids and words are kept."""
    error = outcome(request_sent, status, {"Code": code, "Message": "words", "RequestId": "R"})
    known = code in CODES or any(code.lower().startswith(key[:-1]) for key in ANSWERS.meanings if key.endswith("*"))
    assert (type(error), error.reason) == (expected if known or status == 400 else UNKNOWN)
    assert (error.code, error.status, error.request_id, error.detail) == (code, status, "R", "words")
    assert error.hint


def test_the_table_is_tested_whole():
    """Every code of it, and each row names where it is from."""
    assert {code for code, _ in ANSWERS.codes()} == set(CODES)
    assert {source for source, _, _ in TABLE} == set(SOURCES)
    assert len(ANSWERS.meanings) == sum(len(codes) for _, _, codes in TABLE), "a code that stands in two rows"


@pytest.mark.parametrize("family", [code for code in ANSWERS.meanings if code.endswith("*")])
def test_each_family_is_tried(family):
    """With a member that nobody has seen, or one of a row of its own."""
    assert any(code.lower().startswith(family[:-1]) for code in MEMBERS), family


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize("code", CODES)
def test_every_hint_is_translated(aliyun, request_sent, code, language):
    """Of every row."""
    error = outcome(request_sent, 400, {"Code": code})
    assert error.hint_in(language) != error.hint


@pytest.mark.parametrize(
    ("status", "expected"), [(400, REFUSED), (401, CREDENTIALS), (403, PERMISSION), (404, ENDPOINT), (429, RATE), (500, UNKNOWN), (503, NOT_NOW)]
)  # fmt: skip
def test_a_code_that_nobody_knows_goes_by_its_status(request_sent, status, expected):
    """A 400 says nothing, since nearly every error is one."""
    error = outcome(request_sent, status, {"Code": "BrandNew.Code", "Message": "words"})
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        # Captured or documented, then another wording of the same.
        ("OperationDenied", "Your account does not open CDN service yet.", ACCOUNT),
        ("Forbidden", "Current user is indebted.", QUOTA), ("Forbidden", "This account is in arrears; pay first.", QUOTA),
        ("Throttling", "Request was denied due to request throttling.", RATE), ("Throttling", "The monthly quota of calls is used up.", QUOTA),
        ("InvalidSendMail.Spam", "Sendmail rejected by spam filter.", SPAM), ("InvalidSendMail.Spam", "The daily quota is exceeded.", QUOTA),
        ("BrandNew.Code", "Your account does not have enough balance.", QUOTA), ("BrandNew.Code", "The access key is disabled.", CREDENTIALS),
        # A parameter is somebody's: the first that is named.
        ("InvalidParameter", 'The specified parameter "Action or Version" is not valid.', ENDPOINT),
        ("InvalidParamater", 'The specified parameter "SignatureMethod" is not valid.', CONFIG),
        ("InvalidParameter", "The specified parameter ToAddress is not valid: version@accountname.example", RECIPIENT),
        ("InvalidParameter.Subject", "Too long.", CONTENT), ("InvalidParameter", "AccountName is wrong.", SENDER),
        ("InvalidParameter", "FromAlias is wrong.", SENDER), ("InvalidParameter", "TagName is wrong.", CONFIG),
        ("InvalidParameter", "The specified parameter is not valid.", REFUSED),
        # The message's stays the message's.
        ("InvalidToAddress", "The account zoe@x.example was suspended", RECIPIENT), ("InvalidBody", "Your quota is exceeded", CONTENT),
        ("BrandNew.Code", "The recipient's mailbox is over quota.", REFUSED), ("BrandNew.Code", "quota-exceeded@example.com is unknown", REFUSED),
    ],
)  # fmt: skip
def test_the_words_tell_where_the_code_does_not(request_sent, code, message, expected):
    """Codes that stand for several causes, and those that nobody knows."""
    error = outcome(request_sent, 400, {"Code": code, "Message": message})
    assert (type(error), error.reason) == expected


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
