"""Direct Mail's error codes and what each means for the sender, as data. Codes are compared without case.

Codes: Direct Mail's error pages (2020 to 2026-01), answers of its support, and the gateway's common codes, each with the
status seen most. The status is no classifier here: nearly every error is a 400, throttling too.
"""

import re
from collections.abc import Callable, Mapping

from authmail import AccountError, Answer, Meaning, MessageRejected, NotSent, OutcomeUnknown, Reason, Throttled, say
from authmail_aliyun_dm.request import SignedRequest

_BUG = "the request has the wrong form; please report this"
_NO_RIGHT = "the AccessKey lacks the right dm:SingleSendMail; grant it in RAM"
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many calls; Direct Mail takes about 100 a second per account")
_TOKEN = Meaning(AccountError, Reason.CREDENTIALS, "the STS token is expired or of another key; get a new one")
_QUOTA = Meaning(AccountError, Reason.QUOTA, "the account's quota is used up; see the console")
_NO_BALANCE = Meaning(AccountError, Reason.QUOTA, "the account has no balance left")
_MISSING = Meaning(AccountError, Reason.CONFIG, "a required parameter is missing; check the settings")
_FAULT = Meaning(
    OutcomeUnknown, Reason.PROVIDER, "the provider had a fault; it is not known whether the mail went out", status=500
)

_ECHOED = re.compile(r"string\s*to\s*sign\s*is\s*:\s*\[?(?P<text>[^\]]*)", re.IGNORECASE)


def _signature(answer: Answer) -> Meaning:
    """Tell a wrong secret from a wrong signature: the server echoes what it signed; if we signed the same, it is the secret."""
    echoed = _ECHOED.search(answer.text("message") or "")
    request = answer.request
    if echoed is None:
        hint = say(
            "the AccessKey secret does not belong to the AccessKey ID, or the request was changed on its way; check the secret first"
        )
    elif isinstance(request, SignedRequest) and echoed["text"].strip() == request.signed():
        hint = say("the AccessKey secret is wrong: both sides signed the same text")
    else:
        hint = say("the request was changed on its way, or the signature is wrong; check proxies in between, then report this")
    return Meaning(AccountError, Reason.CREDENTIALS, hint)


#: Code → meaning; a code that ends with ``*`` is the beginning of a family.
ERRORS: Mapping[str, Meaning | Callable[[Answer], Meaning]] = {
    # The message.
    "InvalidToAddress": Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
    "EmailFormatError": Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
    "EmailLengthError": Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is longer than 192 characters"),
    "InvalidReceiverName.Malformed": Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted"),
    "InvalidReceiver.NotFound": Meaning(MessageRejected, Reason.RECIPIENT, "the recipient is not known", status=404),
    "InvalidToAddress.Spam": Meaning(
        MessageRejected,
        Reason.SUPPRESSED,
        "the recipient is on the provider's list of invalid addresses; remove it there if mail to it works again",
    ),
    "InvalidBody": Meaning(MessageRejected, Reason.CONTENT, "the body is empty or not accepted; check the template"),
    "InvalidSubject.Malformed": Meaning(
        MessageRejected, Reason.CONTENT, "the subject is not accepted; keep it below 100 characters"
    ),
    "InvalidTemplate.NotFound": Meaning(MessageRejected, Reason.TEMPLATE, "the console's template is not known", status=404),
    "InvalidTemplateName.Malformed": Meaning(
        MessageRejected, Reason.TEMPLATE, "the name of the console's template is not accepted"
    ),
    # The sender and its settings.
    "InvalidMailAddress.NotFound": Meaning(
        AccountError,
        Reason.SENDER,
        "the sender address (accountName) does not exist in this region; check regionId: a sender belongs to the region it was made in",
        status=404,
    ),
    "InvalidMailAddressStatus.Malformed": Meaning(
        AccountError, Reason.SENDER, "the sender address is frozen or not verified; see the console"
    ),
    "InvalidMailAddressSendType.Malformed": Meaning(
        AccountError, Reason.SENDER, "the sender address is of the wrong type; make one for triggered mails in the console"
    ),
    "InvalidMailAddressDomain.Malformed": Meaning(
        AccountError, Reason.SENDER, "the sender's domain is not verified; check its DNS records in the console"
    ),
    "InvalidFromAlias.Malformed": Meaning(AccountError, Reason.SENDER, "fromAlias is not accepted; keep it below 15 characters"),
    "InvalidReplyAddress.Malformed": Meaning(
        AccountError, Reason.SENDER, "the reply address is not accepted; check replyAddress"
    ),
    "InvalidReplyAddressAlias.Malformed": Meaning(
        AccountError, Reason.SENDER, "replyAddressAlias is not accepted; at most 15 characters"
    ),
    "MissingParameter": _MISSING,
    # The account.
    "InvalidSendMail.Spam": Meaning(
        AccountError,
        Reason.CONTENT,
        "refused by the spam filter, or because of the account's state, rate or quota; give the mail a salutation, and see the console",
    ),
    "InvalidUser.NotFound": Meaning(AccountError, Reason.ACCOUNT, "Direct Mail is not activated for this account", status=404),
    "InvalidIP.NotFound": Meaning(
        AccountError, Reason.PERMISSION, "this server's address is not on the account's IP protection list", status=404
    ),
    "InsufficientBalance": _NO_BALANCE,
    # Credentials and rights.
    "InvalidAccessKeyId.NotFound": Meaning(
        AccountError, Reason.CREDENTIALS, "the AccessKey ID is not known; check accessKeyId", status=404
    ),
    "InvalidAccessKeyId.Inactive": Meaning(
        AccountError, Reason.CREDENTIALS, "the AccessKey is disabled; enable it or make a new one"
    ),
    "SignatureDoesNotMatch": _signature,
    "IncompleteSignature": _signature,
    "Signature": _signature,
    "Forbidden": Meaning(AccountError, Reason.PERMISSION, _NO_RIGHT, status=403),
    "Forbidden.RAM": Meaning(AccountError, Reason.PERMISSION, _NO_RIGHT, status=403),
    "NoPermission": Meaning(AccountError, Reason.PERMISSION, _NO_RIGHT, status=403),
    "Forbidden.RiskControl": Meaning(
        AccountError, Reason.PERMISSION, "the provider's risk control blocks the account; ask its support", status=403
    ),
    # Clock, endpoint, form of the call.
    "InvalidTimeStamp.Expired": Meaning(
        AccountError, Reason.CLOCK, "this server's clock is off by more than 15 minutes; set it (NTP)"
    ),
    "InvalidTimeStamp.Format": Meaning(
        AccountError, Reason.CLOCK, "the provider could not read the time; check this server's clock"
    ),
    "InvalidApi.NotFound": Meaning(
        AccountError, Reason.ENDPOINT, "this endpoint is not Direct Mail's; check endpoint and regionId", status=404
    ),
    "InvalidProduct.NotFound": Meaning(
        AccountError, Reason.ENDPOINT, "this endpoint is not Direct Mail's; check endpoint and regionId", status=404
    ),
    "InvalidProtocol.NeedSsl": Meaning(AccountError, Reason.ENDPOINT, "the endpoint wants https", status=404),
    "UnsupportedHTTPMethod": Meaning(AccountError, Reason.ENDPOINT, _BUG),
    "InvalidSignatureMethod": Meaning(
        AccountError, Reason.CONFIG, "the endpoint does not know this signature; try the other one (signature)"
    ),
    "InvalidParameter.Format": Meaning(AccountError, Reason.CONFIG, _BUG),
    # Now, or never known.
    "ServiceUnavailable": Meaning(NotSent, Reason.PROVIDER, "the provider is not available now", status=503),
    "SignatureNonceUsed": Meaning(
        OutcomeUnknown, Reason.PROVIDER, "the provider had received the request before; whether it took the mail is not known"
    ),
    # Families, and the members of them that are documented.
    "Throttling": _TOO_FAST,
    "Throttling.User": _TOO_FAST,
    "Throttling.Api": _TOO_FAST,
    "throttling*": _TOO_FAST,
    "InvalidSecurityToken.Expired": _TOKEN,
    "InvalidSecurityToken.Malformed": _TOKEN,
    "InvalidSecurityToken.MismatchWithAccessKey": _TOKEN,
    "invalidsecuritytoken*": _TOKEN,
    "InvalidQuota.Day": _QUOTA,
    "invalidquota*": _QUOTA,
    "quotaexceed*": _QUOTA,
    "insufficientbalance*": _NO_BALANCE,
    "arrear*": Meaning(AccountError, Reason.QUOTA, "the account is overdue; pay the bill"),
    "missing*": _MISSING,
    "InternalError": _FAULT,
    "InternalServiceError": _FAULT,
}


def meaning_of_unknown(answer: Answer) -> Meaning:
    """Return what a refusal means whose code stands in no row.

    The SDK takes a header with a delay for throttling whatever the code says; so do we where the code says nothing.
    """
    if answer.reply.headers.get("x-acs-retry-after"):
        return Meaning(Throttled, Reason.RATE, _REFUSED)
    return Meaning(MessageRejected, Reason.PROVIDER, _REFUSED)


_REFUSED = "the provider refused the request; its code tells more"
