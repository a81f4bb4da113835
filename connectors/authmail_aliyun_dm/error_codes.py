"""Direct Mail's error codes and what each means for the sender, as data. Codes are compared without case."""

from authmail import AccountError, Meaning, MessageRejected, NotSent, OutcomeUnknown, Reason, SendError, Throttled

_BUG = "the request has the wrong form; please report this"

_TABLE: list[tuple[str, type[SendError], Reason, str]] = [
    # The message.
    ("InvalidToAddress", MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
    ("EmailFormatError", MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
    ("EmailLengthError", MessageRejected, Reason.RECIPIENT, "the recipient's address is longer than 192 characters"),
    ("InvalidReceiverName.Malformed", MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted"),
    ("InvalidReceiver.NotFound", MessageRejected, Reason.RECIPIENT, "the recipient is not known"),
    (
        "InvalidToAddress.Spam",
        MessageRejected,
        Reason.SUPPRESSED,
        "the recipient is on the provider's list of invalid addresses; remove it there if mail to it works again",
    ),
    ("InvalidBody", MessageRejected, Reason.CONTENT, "the body is empty or not accepted; check the template"),
    ("InvalidSubject.Malformed", MessageRejected, Reason.CONTENT, "the subject is not accepted; keep it below 100 characters"),
    ("InvalidTemplate.NotFound", MessageRejected, Reason.TEMPLATE, "the console's template is not known"),
    ("InvalidTemplateName.Malformed", MessageRejected, Reason.TEMPLATE, "the name of the console's template is not accepted"),
    # The sender and its settings.
    (
        "InvalidMailAddress.NotFound",
        AccountError,
        Reason.SENDER,
        "the sender address (accountName) does not exist in this region; check regionId: a sender belongs to the region it was made in",
    ),
    (
        "InvalidMailAddressStatus.Malformed",
        AccountError,
        Reason.SENDER,
        "the sender address is frozen or not verified; see the console",
    ),
    (
        "InvalidMailAddressSendType.Malformed",
        AccountError,
        Reason.SENDER,
        "the sender address is of the wrong type; make one for triggered mails in the console",
    ),
    (
        "InvalidMailAddressDomain.Malformed",
        AccountError,
        Reason.SENDER,
        "the sender's domain is not verified; check its DNS records in the console",
    ),
    ("InvalidFromAlias.Malformed", AccountError, Reason.SENDER, "fromAlias is not accepted; keep it below 15 characters"),
    ("InvalidReplyAddress.Malformed", AccountError, Reason.SENDER, "the reply address is not accepted; check replyAddress"),
    (
        "InvalidReplyAddressAlias.Malformed",
        AccountError,
        Reason.SENDER,
        "replyAddressAlias is not accepted; at most 15 characters",
    ),
    ("MissingParameter", AccountError, Reason.CONFIG, "a required parameter is missing; check the settings"),
    # The account.
    (
        "InvalidSendMail.Spam",
        AccountError,
        Reason.CONTENT,
        "refused by the spam filter, or because of the account's state, rate or quota; give the mail a salutation, and see the console",
    ),
    ("InvalidUser.NotFound", AccountError, Reason.ACCOUNT, "Direct Mail is not activated for this account"),
    ("InvalidIP.NotFound", AccountError, Reason.PERMISSION, "this server's address is not on the account's IP protection list"),
    ("InsufficientBalance", AccountError, Reason.QUOTA, "the account has no balance left"),
    # Credentials and rights.
    ("InvalidAccessKeyId.NotFound", AccountError, Reason.CREDENTIALS, "the AccessKey ID is not known; check accessKeyId"),
    ("InvalidAccessKeyId.Inactive", AccountError, Reason.CREDENTIALS, "the AccessKey is disabled; enable it or make a new one"),
    ("SignatureDoesNotMatch", AccountError, Reason.CREDENTIALS, ""),
    ("IncompleteSignature", AccountError, Reason.CREDENTIALS, ""),
    ("Signature", AccountError, Reason.CREDENTIALS, ""),
    ("Forbidden", AccountError, Reason.PERMISSION, "the AccessKey lacks the right dm:SingleSendMail; grant it in RAM"),
    ("Forbidden.RAM", AccountError, Reason.PERMISSION, "the AccessKey lacks the right dm:SingleSendMail; grant it in RAM"),
    ("NoPermission", AccountError, Reason.PERMISSION, "the AccessKey lacks the right dm:SingleSendMail; grant it in RAM"),
    ("Forbidden.RiskControl", AccountError, Reason.PERMISSION, "the provider's risk control blocks the account; ask its support"),
    # Clock, endpoint, form of the call.
    ("InvalidTimeStamp.Expired", AccountError, Reason.CLOCK, "this server's clock is off by more than 15 minutes; set it (NTP)"),
    ("InvalidTimeStamp.Format", AccountError, Reason.CLOCK, "the provider could not read the time; check this server's clock"),
    ("InvalidApi.NotFound", AccountError, Reason.ENDPOINT, "this endpoint is not Direct Mail's; check endpoint and regionId"),
    ("InvalidProduct.NotFound", AccountError, Reason.ENDPOINT, "this endpoint is not Direct Mail's; check endpoint and regionId"),
    ("InvalidProtocol.NeedSsl", AccountError, Reason.ENDPOINT, "the endpoint wants https"),
    ("UnsupportedHTTPMethod", AccountError, Reason.ENDPOINT, _BUG),
    (
        "InvalidSignatureMethod",
        AccountError,
        Reason.CONFIG,
        "the endpoint does not know this signature; try the other one (signature)",
    ),
    ("InvalidParameter.Format", AccountError, Reason.CONFIG, _BUG),
    # Now, or never known.
    ("ServiceUnavailable", NotSent, Reason.PROVIDER, "the provider is not available now"),
    (
        "SignatureNonceUsed",
        OutcomeUnknown,
        Reason.PROVIDER,
        "the provider had received the request before; whether it took the mail is not known",
    ),
]

#: Lower-case code → meaning.
ERRORS: dict[str, Meaning] = {code.lower(): Meaning(kind, reason, hint) for code, kind, reason, hint in _TABLE}

#: Lower-case beginning of a code → meaning, for families of codes.
PREFIXES: dict[str, Meaning] = {
    "throttling": Meaning(Throttled, Reason.RATE, "too many calls; Direct Mail takes about 100 a second per account"),
    "invalidsecuritytoken": Meaning(
        AccountError, Reason.CREDENTIALS, "the STS token is expired or of another key; get a new one"
    ),
    "invalidquota": Meaning(AccountError, Reason.QUOTA, "the account's quota is used up; see the console"),
    "quotaexceed": Meaning(AccountError, Reason.QUOTA, "the account's quota is used up; see the console"),
    "insufficientbalance": Meaning(AccountError, Reason.QUOTA, "the account has no balance left"),
    "arrear": Meaning(AccountError, Reason.QUOTA, "the account is overdue; pay the bill"),
    "missing": Meaning(AccountError, Reason.CONFIG, "a required parameter is missing; check the settings"),
}
