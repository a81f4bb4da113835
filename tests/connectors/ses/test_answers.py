import json

import pytest
from botocore.loaders import Loader
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_ses.answers import ANSWERS

ID = "010701900000aaaa-11111111-2222-3333-4444-555555555555-000000"
REQUEST_ID = "4f5a1b2c-0000-4000-8000-00000000a001"
#: The mail that the answers are about.
SENT = Request(
    url="https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails",
    body=json.dumps(
        {"FromEmailAddress": "Acme <no-reply@mail.example.com>", "Destination": {"ToAddresses": ["Zoé <zoe@example.net>"]}}
    ).encode(),
)


def outcome(status, body=b"", headers=None, request=SENT):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), request)
    except SendError as error:
        return error


def error_of(kind, words="Words.", status=400):
    """An error in SES's form."""
    return outcome(status, {"message": words}, {"x-amzn-ErrorType": kind, "x-amzn-RequestId": REQUEST_ID})


# Success.


def test_the_id_is_the_acceptance():
    """With SES's id of the request, where it is told."""
    assert outcome(200, {"MessageId": ID}, {"x-amzn-RequestId": REQUEST_ID}) == Receipt(ID, REQUEST_ID)
    assert outcome(200, {"MessageId": ID}) == Receipt(ID)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"<html>ok</html>", b"[" * 100_000, {"MessageId": ""}, {"MessageId": None}, {"MessageId": 5}, {"messageId": ID}]
)  # fmt: skip
def test_a_success_without_an_id_is_unknown(body):
    """Something in between may have answered."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


def test_a_success_with_a_type_of_error_is_refused():
    """The type counts, whatever stands beside it."""
    error = outcome(200, {"MessageId": ID, "__type": "com.amazonaws.sesv2#SendingPausedException"})
    assert (type(error), error.reason) == (AccountError, Reason.ACCOUNT)


# Every row of the table.

SENDER, ACCOUNT, QUOTA = (AccountError, Reason.SENDER), (AccountError, Reason.ACCOUNT), (AccountError, Reason.QUOTA)
CONFIG, KEY, RIGHTS = (AccountError, Reason.CONFIG), (AccountError, Reason.CREDENTIALS), (AccountError, Reason.PERMISSION)
CLOCK, ELSEWHERE, RATE = (AccountError, Reason.CLOCK), (AccountError, Reason.ENDPOINT), (Throttled, Reason.RATE)
INVALID, CONTENT, RECIPIENT = (
    (MessageRejected, Reason.PROVIDER),
    (MessageRejected, Reason.CONTENT),
    (MessageRejected, Reason.RECIPIENT),
)
BUSY, UNKNOWN = (NotSent, Reason.PROVIDER), (OutcomeUnknown, Reason.PROVIDER)
CODES = {
    "MessageRejected": (400, CONTENT), "BadRequestException": (400, INVALID), "ValidationError": (400, INVALID), "ValidationException": (400, INVALID),
    "InvalidParameterValue": (400, INVALID), "RequestEntityTooLargeException": (413, CONTENT), "MailFromDomainNotVerifiedException": (400, SENDER),
    "AccountSuspendedException": (400, ACCOUNT), "SendingPausedException": (400, ACCOUNT), "NotFoundException": (404, CONFIG), "ConflictException": (409, CONFIG),
    "TooManyRequestsException": (429, RATE), "ThrottlingException": (400, RATE), "Throttling": (400, RATE), "LimitExceededException": (400, QUOTA),
    "SignatureDoesNotMatch": (403, KEY), "InvalidSignatureException": (403, KEY), "IncompleteSignature": (403, KEY), "IncompleteSignatureException": (403, KEY),
    "UnrecognizedClientException": (403, KEY), "InvalidClientTokenId": (403, KEY), "MissingAuthenticationToken": (403, KEY),
    "MissingAuthenticationTokenException": (403, KEY), "ExpiredTokenException": (403, KEY), "ExpiredToken": (403, KEY), "AccessDeniedException": (403, RIGHTS),
    "AccessDenied": (403, RIGHTS), "NotAuthorized": (401, RIGHTS), "OptInRequired": (403, RIGHTS), "RequestExpired": (400, CLOCK), "RequestExpiredException": (400, CLOCK),
    "UnknownOperationException": (404, ELSEWHERE), "UnknownOperation": (404, ELSEWHERE), "MalformedHttpRequestException": (400, INVALID),
    "RequestTimeoutException": (408, (NotSent, Reason.TIMEOUT)), "RequestAbortedException": (400, UNKNOWN), "InternalFailure": (500, UNKNOWN),
    "InternalServerError": (500, UNKNOWN), "InternalServiceErrorException": (500, UNKNOWN), "ServiceUnavailable": (503, BUSY), "ServiceUnavailableException": (503, BUSY),
    "SomethingNewException": (400, INVALID),
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_the_type_decides(code):
    """Outcome and reason; type, words, request id and a hint are kept."""
    status, expected = CODES[code]
    error = error_of(code, status=status)
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail, error.request_id) == (code, status, "Words.", REQUEST_ID)
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize("code", CODES)
def test_every_hint_is_translated(code, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("aws-ses-mail")
    error = error_of(code, status=CODES[code][0])
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every type of it, with the status that it comes with."""
    assert dict(ANSWERS.codes()) == {code: status for code, (status, _) in CODES.items() if code != "SomethingNewException"}


def test_every_error_of_the_service_model_has_a_row():
    """Those that SDKs know of SendEmail, with their status."""
    model = Loader().load_service_model("sesv2", "service-2")
    names = [error["shape"] for error in model["operations"]["SendEmail"]["errors"]]
    told = {name: model["shapes"][name]["error"]["httpStatusCode"] for name in names}
    assert len(told) == 8
    assert {name: CODES[name][0] for name in told} == told


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, MessageRejected, Reason.PROVIDER), (401, AccountError, Reason.CREDENTIALS), (403, AccountError, Reason.PERMISSION),
        (404, AccountError, Reason.ENDPOINT), (408, NotSent, Reason.TIMEOUT), (413, MessageRejected, Reason.PROVIDER), (429, Throttled, Reason.RATE),
        (500, OutcomeUnknown, Reason.PROVIDER), (502, OutcomeUnknown, Reason.PROVIDER), (503, OutcomeUnknown, Reason.PROVIDER), (504, OutcomeUnknown, Reason.PROVIDER),
    ],
)  # fmt: skip
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", [], {"message": 5}])
def test_an_answer_without_a_type_goes_by_its_status(status, kind, reason, body):
    """It may be a stranger's: a 5xx tells nothing, 503 included."""
    error = outcome(status, body)
    assert (type(error), error.reason, error.code) == (kind, reason, None)


# Where type and words are.


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"message": "Words."}, {"x-amzn-ErrorType": "SendingPausedException"}), ({"Message": "Words."}, {"X-Amzn-ErrorType": "SendingPausedException"}),
        ({"message": "Words."}, {"x-amzn-errortype": "SendingPausedException:http://internal.amazon.com/coral/com.amazonaws.sesv2/"}),
        ({"message": "Words.", "__type": "com.amazonaws.sesv2#SendingPausedException"}, {}), ({"message": "Words.", "code": "SendingPausedException"}, {}),
        ({"message": "Words.", "__type": "Other"}, {"x-amzn-ErrorType": "SendingPausedException"}),
    ],
)  # fmt: skip
def test_the_type_is_read_wherever_it_is(body, headers):
    """In the header, without its namespace, before the body."""
    error = outcome(400, body, headers)
    assert (error.code, error.detail, error.reason) == ("SendingPausedException", "Words.", Reason.ACCOUNT)


# What a rejected message is.

CHECKED = "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: {}"


@pytest.mark.parametrize(
    ("identities", "reason", "says"),
    [
        ("zoe@example.net", Reason.ACCOUNT, "sandbox"), ("ZOE@example.net", Reason.ACCOUNT, "sandbox"), ("Zoé <zoe@example.net>", Reason.ACCOUNT, "sandbox"),
        ("no-reply@mail.example.com", Reason.SENDER, "emailAddress"), ("Acme <no-reply@mail.example.com>, zoe@example.net", Reason.SENDER, "emailAddress"),
        ("zoe@example.net, no-reply@mail.example.com", Reason.SENDER, "emailAddress"),
        # Neither, as where the list is cut; and one that only ends like the recipient.
        ("", Reason.SENDER, "or the account"), ("bounces@mail.example.com", Reason.SENDER, "or the account"), ("anzoe@example.net", Reason.SENDER, "or the account"),
    ],
)  # fmt: skip
def test_whose_identity_is_not_verified_decides(identities, reason, says):
    """The recipient's: the account is in the sandbox. The sender's: it must be verified, whatever else is listed."""
    error = error_of("MessageRejected", CHECKED.format(identities))
    assert (type(error), error.reason, says in error.hint) == (AccountError, reason, True)


def test_without_the_request_both_are_told():
    """A host that judges an answer by itself has none."""
    error = outcome(400, {"message": CHECKED.format("zoe@example.net")}, {"x-amzn-ErrorType": "MessageRejected"}, request=None)
    assert (error.reason, "or the account" in error.hint) == (Reason.SENDER, True)


# Types that stand for several causes: the words are asked.


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("MessageRejected", "Sending paused for this account. For more information, please check the inbox of the email address.", ACCOUNT),
        ("MessageRejected", "Sending suspended for this account.", ACCOUNT), ("MessageRejected", "Message contains a virus.", CONTENT),
        ("TooManyRequestsException", "Maximum sending rate exceeded.", RATE), ("TooManyRequestsException", "Daily message quota exceeded.", QUOTA),
        ("ThrottlingException", "Daily message quota exceeded", QUOTA), ("ThrottlingException", "Maximum sending rate exceeded", RATE),
        ("LimitExceededException", "Daily message quota exceeded.", QUOTA), ("LimitExceededException", "Maximum sending rate exceeded.", RATE),
        ("LimitExceededException", "There are too many instances of the specified resource type.", QUOTA),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.", KEY),
        ("SignatureDoesNotMatch", "Signature expired: 20261125T131116Z is now earlier than 20261125T132000Z (20261125T132500Z - 5 min.)", CLOCK),
        ("InvalidSignatureException", "Signature not yet current: 20261125T131116Z is still later than 20261125T130000Z", CLOCK),
        ("SignatureDoesNotMatch", "Credential should be scoped to a valid region, not 'us-east-1'. ", CONFIG),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", KEY),
        ("AccessDeniedException", "User `arn:aws:iam::1:user/a' is not authorized to perform `ses:SendEmail' on resource `arn:aws:ses:…:identity/b'", RIGHTS),
        # Addresses (public issues).
        ("BadRequestException", "Invalid email address .", RECIPIENT), ("BadRequestException", "Missing final '@domain'", RECIPIENT),
        ("BadRequestException", "Local address contains control or whitespace", RECIPIENT), ("InvalidParameterValue", "Domain contains control or whitespace", RECIPIENT),
        ("BadRequestException", "Illegal address", RECIPIENT), ("BadRequestException", "Empty header names are illegal.", INVALID),
        ("BadRequestException", "Invalid from address.", SENDER),
        # A type that nobody knows: the account's trouble first.
        ("SomethingNewException", "Your account is under review.", ACCOUNT), ("SomethingNewException", "The sender is not verified.", SENDER),
    ],
)  # fmt: skip
def test_the_words_tell_where_the_type_does_not(kind, words, expected):
    """The account's trouble is never the message's."""
    error = error_of(kind, words)
    assert (type(error), error.reason) == expected


def test_no_delay_is_made_up():
    """SES tells none."""
    assert error_of("TooManyRequestsException", "Maximum sending rate exceeded.", 429).retry_after is None


# Captured answers: what the libraries made of them, and what authmail does.

ACCEPTED = "accepted"
JUDGED = {
    "simple-all-fields-200": ACCEPTED, "simple-minimal-200": ACCEPTED, "tracking-off-override-200": ACCEPTED, "stored-template-200": ACCEPTED,
    "raw-mime-200": ACCEPTED, "anymail-all-fields": ACCEPTED, "retry-standard-500-then-200": UNKNOWN, "retry-legacy-429-then-200": RATE,
    "error-400-MessageRejected": ACCOUNT, "error-400-MailFromDomainNotVerifiedException": SENDER, "error-400-SendingPausedException": ACCOUNT,
    "error-404-NotFoundException": CONFIG, "error-400-LimitExceededException": QUOTA, "error-400-ThrottlingException": RATE,
    "error-403-SignatureDoesNotMatch": KEY, "error-403-AccessDeniedException": RIGHTS, "error-500-InternalFailure": UNKNOWN,
    "error-type-with-namespace": SENDER, "error-type-in-body": SENDER, "error-html-from-proxy-502": UNKNOWN, "anymail-401": KEY,
    # No answers about a mail.
    "get-account-200": UNKNOWN, "get-suppressed-404": CONFIG,
}  # fmt: skip


def test_each_captured_answer_is_judged(vectors):
    """All of them, headers and body as they came; where the library repeated, the first answer."""
    captures = vectors("ses/captures")["captures"]
    assert {capture["name"] for capture in captures} == set(JUDGED)
    for capture in captures:
        reply, sent = capture["server_replies"][0], capture["requests"][0]
        body = sent["body"].encode() if "Destination" in sent["body"] and "FromEmailAddress" in sent["body"] else None
        raw = reply["body"].encode() if isinstance(reply["body"], str) else reply["body"]
        got = outcome(reply["status"], raw, reply.get("headers"), Request(url="", body=body))
        if JUDGED[capture["name"]] == ACCEPTED:
            assert got.message_id == capture["sdk_result"]["returned"], capture["name"]
        else:
            assert (type(got), got.reason) == JUDGED[capture["name"]], capture["name"]
