"""Direct Mail's own error codes and what each means for the sender, as data, with those of the whole cloud behind them.

Codes are compared without case. The status is no classifier here: nearly every error is a 400, throttling too; each row has
the one that was seen most.
"""

from collections.abc import Mapping

from authmail import AccountError, Answer, Meaning, MessageRejected, Reason, Throttled
from authmail_aliyun_dm.common_codes import BUG, COMMON, CodeRow, CodeTable

_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_SUPPRESSED = Meaning(
    MessageRejected,
    Reason.SUPPRESSED,
    "the recipient is on the provider's list of invalid addresses; remove it there if mail to it works again",
)
_BODY = Meaning(MessageRejected, Reason.CONTENT, "the body is empty or not accepted; check the template")
_SUBJECT = Meaning(MessageRejected, Reason.CONTENT, "the subject is not accepted; keep it below 100 characters")
_SENDER = Meaning(AccountError, Reason.SENDER, "the sender address (accountName) is not accepted; see the console")
_DOMAIN = Meaning(AccountError, Reason.SENDER, "the sender's domain is not verified; check its DNS records in the console")
_ALIAS = Meaning(AccountError, Reason.SENDER, "fromAlias is not accepted; keep it below 15 characters")
_REPLY = Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyAddress")
_TAG = Meaning(AccountError, Reason.CONFIG, "the tag is not known or not accepted; check tagName")
_IP = Meaning(AccountError, Reason.PERMISSION, "this server's address is not on the account's IP protection list", status=404)
_REFUSED = "the provider refused the request; its code tells more"
_OTHERWISE = Meaning(MessageRejected, Reason.PROVIDER, _REFUSED)
_PARAMETER = Meaning(MessageRejected, Reason.PROVIDER, "the provider refuses a value of the mail; its words tell which")

#: Parameter that an InvalidParameter names → meaning.
_BY_PARAMETER: Mapping[str, Meaning] = {
    "accountname": _SENDER,
    "fromalias": _ALIAS,
    "replyaddress": _REPLY,
    "tagname": _TAG,
    "action": Meaning(AccountError, Reason.ENDPOINT, BUG),
    "version": Meaning(AccountError, Reason.ENDPOINT, BUG),
    "signature": Meaning(AccountError, Reason.CONFIG, BUG),
    "toaddress": _RECIPIENT,
    "subject": _SUBJECT,
    "htmlbody": _BODY,
    "textbody": _BODY,
}


def _by_parameter(answer: Answer) -> Meaning:
    """Return what a value that is not valid means: whose parameter code or words name first. A value may come behind it."""
    said = f"{answer.text('code')} {answer.text('message')}".lower()
    named = min((name for name in _BY_PARAMETER if name in said), key=said.index, default=None)
    return _PARAMETER if named is None else _BY_PARAMETER[named]


_OWN: CodeTable = (
    # The message.
    ("support", _RECIPIENT, ("InvalidToAddress", "invalidtoaddress*")),
    ("direct-mail", _RECIPIENT, ("EmailFormatError",)),
    (
        "direct-mail",
        Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is longer than 192 characters"),
        ("EmailLengthError",),
    ),
    (
        "support",
        Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted"),
        ("InvalidReceiverName.Malformed", "invalidreceiver*"),
    ),
    (
        "support",
        Meaning(MessageRejected, Reason.RECIPIENT, "the recipient is not known", status=404),
        ("InvalidReceiver.NotFound",),
    ),
    ("support", _SUPPRESSED, ("InvalidToAddress.Spam",)),
    ("support", _BODY, ("InvalidBody", "invalidbody*")),
    ("unconfirmed", _BODY, ("invalidhtmlbody*", "invalidtextbody*")),
    ("support", _SUBJECT, ("InvalidSubject.Malformed", "invalidsubject*")),
    (
        "support",
        Meaning(MessageRejected, Reason.TEMPLATE, "the console's template is not known", status=404),
        ("InvalidTemplate.NotFound", "invalidtemplate*"),
    ),
    (
        "support",
        Meaning(MessageRejected, Reason.TEMPLATE, "the name of the console's template is not accepted"),
        ("InvalidTemplateName.Malformed", "invalidtemplatename*"),
    ),
    # The sender and its settings.
    (
        "support",
        Meaning(
            AccountError,
            Reason.SENDER,
            "the sender address (accountName) does not exist in this region; check regionId: a sender belongs to the region it was made in",
            status=404,
        ),
        ("InvalidMailAddress.NotFound",),
    ),
    ("unconfirmed", _SENDER, ("invalidmailaddress*", "invalidaccountname*")),
    (
        "support",
        Meaning(AccountError, Reason.SENDER, "the sender address is frozen or not verified; see the console"),
        ("InvalidMailAddressStatus.Malformed",),
    ),
    (
        "support",
        Meaning(
            AccountError,
            Reason.SENDER,
            "the sender address is of the wrong type; make one for triggered mails in the console",
        ),
        ("InvalidMailAddressSendType.Malformed",),
    ),
    ("support", _DOMAIN, ("InvalidMailAddressDomain.Malformed",)),
    ("unconfirmed", _DOMAIN, ("invaliddomain*",)),
    ("support", _ALIAS, ("InvalidFromAlias.Malformed", "invalidfromalias*")),
    ("support", _REPLY, ("InvalidReplyAddress.Malformed", "invalidreply*")),
    (
        "support",
        Meaning(AccountError, Reason.SENDER, "replyAddressAlias is not accepted; at most 15 characters"),
        ("InvalidReplyAddressAlias.Malformed",),
    ),
    ("unconfirmed", _TAG, ("invalidtag*",)),
    # The account.
    (
        "support",
        Meaning(
            AccountError,
            Reason.CONTENT,
            "refused by the spam filter, or because of the account's state, rate or quota; give the mail a salutation, and see the console",
        ),
        ("InvalidSendMail.Spam", "invalidsendmail*"),
    ),
    (
        "direct-mail",
        Meaning(AccountError, Reason.ACCOUNT, "Direct Mail is not activated for this account", status=404),
        ("InvalidUser.NotFound", "invaliduser*"),
    ),
    ("programs", _IP, ("InvalidIP.NotFound", "invalidip*")),
    # A value that is not valid. ECS has misspelt it once.
    ("ecs", _by_parameter, ("InvalidParameter", "InvalidParamater", "invalidparam*")),
)

#: Source, meaning, codes.
TABLE: CodeTable = (*COMMON, *_OWN)
#: Code → meaning; a code that ends with ``*`` is the beginning of a family.
ERRORS: Mapping[str, CodeRow] = {code: row for _, row, codes in TABLE for code in codes}
#: Codes that stand for several causes.
WIDE = frozenset({"Forbidden", "OperationDenied", "Throttling", "InvalidSendMail.Spam", "InvalidParameter", "InvalidParamater"})


def meaning_of_unknown(answer: Answer) -> Meaning:
    """Return what a refusal means that neither code nor words nor status tell more of.

    The SDK takes a header with a delay for throttling whatever the code says; so do we where the code says nothing.
    """
    if answer.reply.headers.get("x-acs-retry-after"):
        return Meaning(Throttled, Reason.RATE, _REFUSED)
    return _OTHERWISE
