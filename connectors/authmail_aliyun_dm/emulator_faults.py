"""Faults that the emulator shows on demand, chosen by the recipient's part before the ``@``, as data."""

import attrs


@attrs.frozen
class Fault:
    """What happens to a mail.

    Args:
        help: in words.
        status: HTTP status of the answer.
        code: the provider's error code; None for faults that are no answer of the provider.
        retry_after: milliseconds of the ``x-acs-retry-after`` header.
        action: ``answer`` with the code; or cut, cut-after, hang, lose, slow, html, garbage, no-id, redirect.
    """

    help: str
    status: int = 400
    code: str | None = None
    retry_after: int | None = None
    action: str = "answer"


# Codes of Direct Mail's error pages and of the gateway, with the status seen most.
_CODES = {
    400: (
        "MissingParameter InvalidMailAddressStatus.Malformed InvalidMailAddressSendType.Malformed InvalidMailAddressDomain.Malformed "
        "InvalidToAddress InvalidToAddress.Spam InvalidReceiverName.Malformed InvalidBody InvalidSubject.Malformed "
        "InvalidFromAlias.Malformed InvalidFromALias.Malformed InvalidReplyAddress.Malformed InvalidReplyAddressAlias.Malformed "
        "InvalidTemplateName.Malformed InvalidSendMail.Spam EmailFormatError EmailLengthError InvalidAccessKeyId.Inactive "
        "InvalidSecurityToken.Expired InvalidSecurityToken.Malformed InvalidSecurityToken.MismatchWithAccessKey "
        "SignatureDoesNotMatch IncompleteSignature InvalidTimeStamp.Format InvalidTimeStamp.Expired SignatureNonceUsed "
        "UnsupportedHTTPMethod InvalidSignatureMethod InvalidParameter.Format Throttling Throttling.User Throttling.Api "
        "InsufficientBalance InvalidQuota.Day"
    ),
    403: "Forbidden Forbidden.RAM Forbidden.RiskControl NoPermission",
    404: (
        "InvalidMailAddress.NotFound InvalidReceiver.NotFound InvalidTemplate.NotFound InvalidUser.NotFound InvalidIP.NotFound "
        "InvalidAccessKeyId.NotFound InvalidApi.NotFound InvalidProduct.NotFound InvalidProtocol.NeedSsl"
    ),
    500: "InternalError InternalServiceError",
    503: "ServiceUnavailable",
}

#: Recipient's part before the ``@`` (also before a ``+``), lower case → what happens.
FAULTS: dict[str, Fault] = {
    code.lower(): Fault(f"answers {code}", status, code) for status, codes in _CODES.items() for code in codes.split()
} | {
    "throttled": Fault("too many calls, try again in 3 s", 400, "Throttling.User", 3000),
    "spam": Fault("refused by the spam filter", 400, "InvalidSendMail.Spam"),
    "suppressed": Fault("the recipient is on the list of invalid addresses", 400, "InvalidToAddress.Spam"),
    "quota": Fault("the daily quota is used up", 400, "InvalidQuota.Day"),
    "arrears": Fault("the account has no balance left", 400, "InsufficientBalance"),
    "busy": Fault("not available now", 503, "ServiceUnavailable"),
    "crash": Fault("a fault inside the provider", 500, "InternalError"),
    "html": Fault("an HTML error page of something in between", 502, action="html"),
    "garbage": Fault("a success that is not JSON", 200, action="garbage"),
    "no-envid": Fault("a success without an EnvId", 200, action="no-id"),
    "cut": Fault("the connection is cut, the mail not accepted", action="cut"),
    "cut-after": Fault("the mail is accepted, then the connection cut", action="cut-after"),
    "timeout": Fault("the mail is accepted, but no answer comes", action="hang"),
    "lost": Fault("the first request is lost without an answer, the same one again is accepted", action="lose"),
    "slow": Fault("the answer takes 1.5 s", action="slow"),
    "redirect": Fault("a redirect to another place", 302, action="redirect"),
}


def fault_of(recipient: str) -> Fault | None:
    """Return the fault that a recipient's address asks for."""
    return FAULTS.get(recipient.partition("@")[0].partition("+")[0].lower())
