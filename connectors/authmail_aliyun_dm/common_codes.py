"""Error codes that every API of Alibaba Cloud has in common, and what each means for the sender, as data.

All of them speak of the account, its key, the clock or the call, and none of the mail. A code is read by its beginning where
it stands in no row of its own: products and years add members to the families without a page for them.
"""

import re
from collections.abc import Callable, Mapping

from authmail import AccountError, Answer, Meaning, NotSent, OutcomeUnknown, Reason, Throttled, say
from authmail_aliyun_dm.request import SignedRequest

#: What a code means, or what finds it in the answer.
CodeRow = Meaning | Callable[[Answer], Meaning]

#: Where a row is from, by the short name that stands in it.
SOURCES: Mapping[str, str] = {
    "gateway": "https://help.aliyun.com/en/document_detail/434846.html and the error center's product Public",
    "ecs": "https://help.aliyun.com/document_detail/51132.html and ECS API Reference, Response results",
    "dns": "https://help.aliyun.com/en/dns/error-code",
    "cdn": "CDN API Reference, Appendix",
    "kms": "https://www.alibabacloud.com/help/doc-detail/69008.htm",
    "eci": "https://help.aliyun.com/en/eci/developer-reference/api-eci-2018-08-08-errorcodes",
    "ens": "https://help.aliyun.com/en/ens/developer-reference/api-ens-2017-11-10-errorcodes",
    "direct-mail": "https://help.aliyun.com/zh/direct-mail/api-dm-2015-11-23-errorcodes, and its pages of 2020 to 2026-01",
    "support": "https://developer.aliyun.com/ask/278330 and /ask/278265: answers of the support",
    "programs": "what public programs of others look for",
    "unconfirmed": "no page: spellings that stand close to those which have one",
}

#: A table: source, meaning, codes. One that ends with ``*`` is the beginning of a family.
CodeTable = tuple[tuple[str, CodeRow, tuple[str, ...]], ...]

_ECHOED = re.compile(r"string\s*to\s*sign\s*is\s*:\s*\[?(?P<text>[^\]]*)", re.IGNORECASE)


def signature(answer: Answer) -> Meaning:
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


BUG = "the request has the wrong form; please report this"
_CLOCK_OFF = Meaning(AccountError, Reason.CLOCK, "this server's clock is off by more than 15 minutes; set it (NTP)")
_CLOCK_UNREAD = Meaning(AccountError, Reason.CLOCK, "the provider could not read the time; check this server's clock")
_CHANGED = Meaning(
    AccountError, Reason.ENDPOINT, "the request was changed on its way; check endpoint and proxies in between", status=400
)
_OTHER_SIGNATURE = Meaning(
    AccountError, Reason.CONFIG, "the endpoint does not know this signature; try the other one (signature)"
)
_NO_KEY = Meaning(AccountError, Reason.CREDENTIALS, "the AccessKey ID is not known; check accessKeyId", status=404)
_KEY_DISABLED = Meaning(AccountError, Reason.CREDENTIALS, "the AccessKey is disabled; enable it or make a new one")
_TOKEN = Meaning(AccountError, Reason.CREDENTIALS, "the STS token is expired or of another key; get a new one")
_NO_RIGHT = Meaning(
    AccountError, Reason.PERMISSION, "the AccessKey lacks the right dm:SingleSendMail; grant it in RAM", status=403
)
_RISK = Meaning(AccountError, Reason.PERMISSION, "the provider's risk control blocks the account; ask its support", status=403)
_UNVERIFIED = Meaning(AccountError, Reason.ACCOUNT, "the account lacks the real-name verification; see the console", status=403)
_ACCOUNT = Meaning(AccountError, Reason.ACCOUNT, "the account does not exist or may not use this; see the console")
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many calls; Direct Mail takes about 100 a second per account")
_QUOTA = Meaning(AccountError, Reason.QUOTA, "the account's quota is used up; see the console")
_NO_BALANCE = Meaning(AccountError, Reason.QUOTA, "the account has no balance left")
_OVERDUE = Meaning(AccountError, Reason.QUOTA, "the account is overdue; pay the bill")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not Direct Mail's; check endpoint and regionId", status=404)
_WRONG_CALL = Meaning(AccountError, Reason.ENDPOINT, BUG)
_MISSING = Meaning(AccountError, Reason.CONFIG, "a required parameter is missing; check the settings")
_UNAVAILABLE = Meaning(NotSent, Reason.PROVIDER, "the provider is not available now", status=503)
_FAULT = Meaning(
    OutcomeUnknown, Reason.PROVIDER, "the provider had a fault; it is not known whether the mail went out", status=500
)
_NONCE = Meaning(
    OutcomeUnknown, Reason.PROVIDER, "the provider had received the request before; whether it took the mail is not known"
)

COMMON: CodeTable = (
    # Clock. ECS means by its code that the time is off by more than an hour, whatever its words say.
    ("gateway", _CLOCK_OFF, ("InvalidTimeStamp.Expired", "invalidtimestamp*")),
    ("gateway", _CLOCK_UNREAD, ("InvalidTimeStamp.Format",)),
    ("ecs", _CLOCK_OFF, ("IllegalTimestamp", "illegaltimestamp*")),
    ("unconfirmed", _CLOCK_OFF, ("requesttime*", "requestexpired*", "expired*", "timestamp*")),
    # Signature. A nonce that was used says that the gateway had the request before, and nothing of a signature.
    ("gateway", _NONCE, ("SignatureNonceUsed", "signaturenonce*")),
    ("gateway", signature, ("SignatureDoesNotMatch", "IncompleteSignature", "incompletesignature*")),
    ("direct-mail", signature, ("Signature", "signature*")),
    ("unconfirmed", signature, ("invalidsignature*",)),
    ("gateway", _OTHER_SIGNATURE, ("InvalidSignatureMethod", "invalidsignaturemethod*")),
    ("unconfirmed", _OTHER_SIGNATURE, ("invalidsignatureversion*", "unsupportedsignature*")),
    ("gateway", _CHANGED, ("ContentLengthDoesNotMatch", "contentlength*", "ContentMD5NotMatched", "contentmd5*")),
    # Key and token.
    ("gateway", _NO_KEY, ("InvalidAccessKeyId.NotFound",)),
    ("gateway", _KEY_DISABLED, ("InvalidAccessKeyId.Inactive", "Forbidden.AccessKeyDisabled", "forbidden.accesskey*")),
    ("programs", _NO_KEY, ("InvalidAccessKeyId", "invalidaccesskey*", "NoEnabledAccessKey")),
    ("gateway", _TOKEN, ("InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed", "MissingSecurityToken")),
    ("gateway", _TOKEN, ("InvalidSecurityToken.MismatchWithAccessKey", "invalidsecuritytoken*")),
    ("unconfirmed", _TOKEN, ("securitytoken*", "invalidststoken*", "expiredtoken*", "authenticationfail*")),
    # Rights. Two of ECS's codes are misspelt by ECS.
    ("direct-mail", _NO_RIGHT, ("Forbidden", "forbidden*")),
    ("ecs", _NO_RIGHT, ("Forbidden.RAM", "Forbidden.NotSupportRAM", "Forbidden.SubUser", "Forbidden.Unauthorized")),
    ("ecs", _NO_RIGHT, ("Forbedden.NotSupportRAM", "Forbbiden.SubUser", "ActionUnauthorized", "InvalidAction")),
    ("programs", _NO_RIGHT, ("NoPermission", "nopermission*", "Forbidden.NoPermission", "Forbidden.RAMUserAccessDenied")),
    ("ens", _NO_RIGHT, ("AccessDenied", "accessdenied*")),
    ("unconfirmed", _NO_RIGHT, ("unauthorized*", "notauthorized*", "implicitdeny*", "operationdenied*")),
    ("dns", _RISK, ("Forbidden.RiskControl",)),
    ("cdn", _RISK, ("RiskControl.Refused", "riskcontrol*")),
    ("kms", _RISK, ("Forbidden.ProhibitedByRiskControl",)),
    ("dns", _UNVERIFIED, ("Forbidden.UserVerification",)),
    ("cdn", _UNVERIFIED, ("Forbidden.NotVerified",)),
    ("ecs", _UNVERIFIED, ("RealNameAuthenticationError", "realname*")),
    # The account: its state, its bill, its quota.
    ("ecs", _ACCOUNT, ("InvalidAccount.NotFound", "invalidaccount*")),
    ("ens", _ACCOUNT, ("AccountAliyunAccountFrozen", "account*")),
    ("cdn", _ACCOUNT, ("OperationDenied",)),
    ("programs", _ACCOUNT, ("Forbidden.AccountAccessDenied",)),
    ("ecs", _NO_BALANCE, ("InsufficientBalance", "insufficientbalance*")),
    ("programs", _NO_BALANCE, ("InvalidAccountStatus.NotEnoughBalance", "notenoughbalance*")),
    ("eci", _OVERDUE, ("Account.Arrearage", "account.arrear*")),
    ("kms", _OVERDUE, ("Forbidden.InDebt", "Forbidden.InDebtOverdue", "forbidden.indebt*")),
    ("programs", _OVERDUE, ("Forbidden.Arrears", "forbidden.arrear*")),
    ("unconfirmed", _OVERDUE, ("arrear*", "indebt*", "overdue*", "forbiddenduetoarrear*")),
    ("cdn", _QUOTA, ("QuotaExceeded", "quota*")),
    ("programs", _QUOTA, ("InvalidQuota.Day", "invalidquota*")),
    # Speed. KMS has its word in the second place.
    ("gateway", _TOO_FAST, ("Throttling", "Throttling.User", "Throttling.Api", "throttling*")),
    ("kms", _TOO_FAST, ("Rejected.Throttling", "rejected.throttling*")),
    ("eci", _TOO_FAST, ("Degrade.Api",)),
    # Endpoint, version, action, region, form of the call.
    ("gateway", _ELSEWHERE, ("InvalidApi.NotFound", "invalidapi*", "InvalidProduct.NotFound", "invalidproduct*")),
    ("programs", _ELSEWHERE, ("InvalidVersion", "invalidversion*", "InvalidAction.NotFound", "invalidaction*")),
    ("dns", _ELSEWHERE, ("UnsupportedOperation", "unsupportedoperation*", "NoSuchVersion")),
    ("gateway", _ELSEWHERE, ("InvalidRegion.NotFound",)),
    ("ecs", _ELSEWHERE, ("InvalidRegionId.NotFound", "invalidregion*")),
    (
        "gateway",
        Meaning(AccountError, Reason.ENDPOINT, "the endpoint wants https", status=404),
        ("InvalidProtocol.NeedSsl", "invalidprotocol*"),
    ),
    ("gateway", _WRONG_CALL, ("UnsupportedHTTPMethod", "unsupportedhttpmethod*")),
    ("gateway", Meaning(AccountError, Reason.CONFIG, BUG), ("InvalidParameter.Format", "InvalidParameter.Accept")),
    ("ecs", Meaning(AccountError, Reason.CONFIG, BUG), ("UnsupportedParameter", "unsupportedparameter*")),
    ("ecs", Meaning(AccountError, Reason.CONFIG, BUG), ("InvalidOwner", "InvalidOwnerId", "InvalidOwnerAccount")),
    (
        "unconfirmed",
        Meaning(AccountError, Reason.CONFIG, BUG),
        ("contenttype*", "invalidcontenttype*", "unsupportedcontenttype*"),
    ),
    ("gateway", _MISSING, ("MissingParameter", "missing*")),
    # Not now, or never known.
    ("gateway", _UNAVAILABLE, ("ServiceUnavailable", "serviceunavailable*")),
    ("kms", _UNAVAILABLE, ("ServiceUnavailableTemporary",)),
    ("ecs", _UNAVAILABLE, ("ServiceUnavailable.RegionMaintaining",)),
    ("gateway", _FAULT, ("InternalError", "internalerror*")),
    ("direct-mail", _FAULT, ("InternalServiceError", "internalserviceerror*")),
    ("kms", _FAULT, ("InternalFailure", "internalfailure*")),
    ("ecs", _FAULT, ("UnknownError",)),
)
