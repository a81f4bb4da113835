"""SES's answers, as data (service model ``sesv2`` of botocore 1.44.8, page *Common errors*, 2026-11, and public issues).

An error's type is in a header or in the body, and one type stands for many causes: what AWS calls a rejected message is
mostly an account in the sandbox or a sender that nobody verified.
"""

import json
import re
from typing import Any

from authmail import (
    AccountError,
    Answer,
    Answers,
    Meaning,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Spoken,
    Throttled,
    header,
)

_BETWEEN_ADDRESSES = re.compile(r"[\s,;<>\"]+")

_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not SES's; check endpoint and region", status=404)
_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "SES had a fault; it is not known whether the mail went out", status=500)
_BUSY = Meaning(NotSent, Reason.PROVIDER, "SES is not available now", status=503)
_INVALID = Meaning(MessageRejected, Reason.PROVIDER, "SES refuses a field of the mail; its words tell which", status=400)
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "SES refuses the content of the mail", status=400)
_KEY = Meaning(
    AccountError, Reason.CREDENTIALS, "SES does not know the access key; check accessKeyId and sessionToken", status=403
)
_SIGNATURE = Meaning(
    AccountError, Reason.CREDENTIALS, "the signature is not right; check accessKeySecret and the region", status=403
)
_RIGHTS = Meaning(
    AccountError,
    Reason.PERMISSION,
    "the access key may not send by this sender; give its user the right ses:SendEmail",
    status=403,
)
_EXPIRED = Meaning(AccountError, Reason.CREDENTIALS, "the temporary credentials have expired; get new ones", status=403)
_CLOCK = Meaning(AccountError, Reason.CLOCK, "SES finds the time of the request wrong; set this server's clock (NTP)", status=400)
_TOO_FAST = Meaning(Throttled, Reason.RATE, "the account's sending rate is reached; send again after a second", status=429)
_LIMIT = Meaning(AccountError, Reason.QUOTA, "a limit of the account is reached; raise it under Service Quotas", status=400)
_NO_QUOTA = Meaning(
    AccountError, Reason.QUOTA, "the account's quota of mails in 24 hours is used up; wait, or have it raised at AWS"
)
_REGION = Meaning(AccountError, Reason.CONFIG, "the request was signed for another region; check region and endpoint")
_SANDBOX = Meaning(
    AccountError,
    Reason.ACCOUNT,
    "the account is in the sandbox of SES, which reaches verified recipients alone; ask AWS for production access",
)
_UNVERIFIED = Meaning(
    AccountError, Reason.SENDER, "the sender (emailAddress) is not verified in this region; verify it, or check region"
)
_EITHER = Meaning(
    AccountError,
    Reason.SENDER,
    "the sender is not verified in this region, or the account is in the sandbox and the recipient not verified",
)


def _rejected(answer: Answer) -> Meaning:
    """Return what a rejected message is: identities that are not verified, and whose they are; else its content."""
    words = (_words(answer) or "").lower()
    if "not verified" not in words:
        return _CONTENT
    listed, (sender, recipient) = {*_BETWEEN_ADDRESSES.split(words)} - {""}, _addresses(answer)
    if sender in listed:
        return _UNVERIFIED
    return _SANDBOX if recipient in listed else _EITHER


def _addresses(answer: Answer) -> tuple[str, str]:
    """Return sender and recipient of the mail that was refused, in lower case; nothing where it is not known."""
    if answer.request is None or answer.request.body is None:
        return "", ""
    mail = json.loads(answer.request.body)
    sender, recipient = mail["FromEmailAddress"], mail["Destination"]["ToAddresses"][0]
    return sender.rpartition("<")[2].rstrip(">").lower(), recipient.rpartition("<")[2].rstrip(">").lower()


def _type(answer: Answer) -> str | None:
    """Return the type of an error: before the namespace in the header, behind it in the body (restJson1 of Smithy)."""
    told = answer.reply.headers.get("x-amzn-ErrorType") or answer.text("__type") or answer.text("code") or ""
    return told.partition(":")[0].rpartition("#")[2].strip() or None


def _words(answer: Answer) -> str | None:
    return answer.text("message") or answer.text("Message")


_MEANINGS: dict[Any, Any] = {
    # The mail, or the account in disguise.
    "MessageRejected": _rejected,
    ("MessageRejected", 400): _rejected,
    **dict.fromkeys(("BadRequestException", "ValidationError", "ValidationException", "InvalidParameterValue"), _INVALID),
    "RequestEntityTooLargeException": Meaning(
        MessageRejected, Reason.CONTENT, "the mail is larger than SES takes, 40 MB", status=413
    ),
    # The account.
    "MailFromDomainNotVerifiedException": Meaning(AccountError, Reason.SENDER, _UNVERIFIED.hint, status=400),
    "AccountSuspendedException": Meaning(
        AccountError, Reason.ACCOUNT, "AWS has suspended the account's sending for good; see the AWS console", status=400
    ),
    "SendingPausedException": Meaning(
        AccountError,
        Reason.ACCOUNT,
        "sending is paused for the account or the configuration set; see the SES console",
        status=400,
    ),
    "NotFoundException": Meaning(
        AccountError,
        Reason.CONFIG,
        "the configuration set or tenant does not exist in this region; check configurationSetName and tenantName",
        status=404,
    ),
    "ConflictException": Meaning(
        AccountError, Reason.CONFIG, "sender or configuration set do not belong to the tenant; check tenantName", status=409
    ),
    # How fast and how much. Version 2 says 429 (public issues of 2025); 400 is documented, and real with version 1.
    "TooManyRequestsException": _TOO_FAST,
    "ThrottlingException": Meaning(Throttled, Reason.RATE, _TOO_FAST.hint, status=400),
    "Throttling": Meaning(Throttled, Reason.RATE, _TOO_FAST.hint, status=400),
    "LimitExceededException": _LIMIT,
    # Who asks. Common errors of AWS, with and without the ending of version 2.
    **dict.fromkeys(("SignatureDoesNotMatch", "InvalidSignatureException"), _SIGNATURE),
    **dict.fromkeys(("IncompleteSignature", "IncompleteSignatureException"), _SIGNATURE),
    **dict.fromkeys(("UnrecognizedClientException", "InvalidClientTokenId"), _KEY),
    **dict.fromkeys(("MissingAuthenticationToken", "MissingAuthenticationTokenException"), _KEY),
    **dict.fromkeys(("ExpiredTokenException", "ExpiredToken"), _EXPIRED),
    **dict.fromkeys(("AccessDeniedException", "AccessDenied"), _RIGHTS),
    "NotAuthorized": Meaning(AccountError, Reason.PERMISSION, _RIGHTS.hint, status=401),
    "OptInRequired": Meaning(
        AccountError, Reason.PERMISSION, "the AWS account is not signed up for SES in this region", status=403
    ),
    **dict.fromkeys(("RequestExpired", "RequestExpiredException"), _CLOCK),
    # The service.
    **dict.fromkeys(("UnknownOperationException", "UnknownOperation"), _ELSEWHERE),
    "MalformedHttpRequestException": Meaning(
        MessageRejected, Reason.PROVIDER, "SES cannot use the request; please report this", status=400
    ),
    # "Not the whole body": it cannot have been accepted.
    "RequestTimeoutException": Meaning(NotSent, Reason.TIMEOUT, "SES did not get the whole request in time", status=408),
    "RequestAbortedException": Meaning(OutcomeUnknown, Reason.PROVIDER, _FAULT.hint, status=400),
    **dict.fromkeys(("InternalFailure", "InternalServerError", "InternalServiceErrorException"), _FAULT),
    # AWS says "try again later", and not a word of what became of the mail: the weakest of the rows.
    **dict.fromkeys(("ServiceUnavailable", "ServiceUnavailableException"), _BUSY),
}

_SPOKEN = (
    # Texts of the signature check (IAM's page *Troubleshoot SigV4*): region and clock.
    Spoken("credential", "scoped to a valid region", _REGION),
    Spoken("signature", r"expired|not yet current", _CLOCK),
    Spoken(r"\bquota|\b24", r"exceed|reach", _NO_QUOTA),
    # Configs have their addresses checked, so it is the recipient's (public issues quote these texts).
    Spoken(
        r"\baddress|\bdomain\b|\blocal\b|final @",
        r"\bcontains\b|\bmissing\b|\binvalid\b|\billegal\b",
        Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
        unless=r"\bsender|\bfrom\b|\bheader|\breply|\bverif",
    ),
)

ANSWERS = Answers(
    provider="SES",
    message_id=lambda answer: answer.text("MessageId"),
    accepted=lambda answer: _type(answer) is None,
    code=_type,
    words=_words,
    request_id=header("x-amzn-RequestId"),
    wide=(
        "MessageRejected", "BadRequestException", "ValidationError", "ValidationException", "InvalidParameterValue",
        "TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException", "SignatureDoesNotMatch",
        "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
    ),
    spoken=_SPOKEN,
    otherwise=Meaning(MessageRejected, Reason.PROVIDER, "SES refused the request; its words tell more"),
    meanings=_MEANINGS,
)  # fmt: skip
