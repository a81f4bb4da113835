"""Faults that the emulator shows on demand, chosen by the recipient's part before the ``@``, as data."""

from collections.abc import Mapping

from authmail.sandbox import HTTP_FAULTS, Fault

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
FAULTS: Mapping[str, Fault] = (
    {code.lower(): Fault(f"answers {code}", status, code) for status, codes in _CODES.items() for code in codes.split()}
    | {
        "throttled": Fault("too many calls, try again in 3 s", 400, "Throttling.User", 3),
        "spam": Fault("refused by the spam filter", 400, "InvalidSendMail.Spam"),
        "suppressed": Fault("the recipient is on the list of invalid addresses", 400, "InvalidToAddress.Spam"),
        "quota": Fault("the daily quota is used up", 400, "InvalidQuota.Day"),
        "arrears": Fault("the account has no balance left", 400, "InsufficientBalance"),
        "busy": Fault("not available now", 503, "ServiceUnavailable"),
        "crash": Fault("a fault inside the provider", 500, "InternalError"),
        "no-envid": Fault("a success without an EnvId", 200, action="no-id"),
        "lost": Fault("the first request is lost without an answer, the same one again is accepted", action="lose"),
    }
    | HTTP_FAULTS
)
