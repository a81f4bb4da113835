"""Replies of SMTP servers and what each means for the sender, as data.

The account's trouble is never read as the message's, nor the reverse: a wrong "rejected" stops failover, hides the alarm
and tells a reader that the address is wrong. So rows of words come before rows of codes, the recipient's own limits before
the account's, and what no row knows after the sender was accepted is the message's. A row stands on the document that it
names; replies of providers, one by one, are in ``tests/vectors/smtp/replies.json``.
"""

import re

import attrs

from authmail import AccountError, Meaning, MessageRejected, NotSent, Reason, Throttled
from authmail_smtp import reply_words as words
from authmail_smtp.steps import Step

_ANY = frozenset(Step)
_OPENING = frozenset({Step.CONNECT, Step.GREETING, Step.HELLO})
_MAIL = frozenset({Step.SENDER, Step.RECIPIENT, Step.DATA, Step.CONTENT})
_BODY = frozenset({Step.DATA, Step.CONTENT})
_NAMED = frozenset(step for step in Step if step.is_of_message)
_UNNAMED = frozenset({Step.LOGIN, Step.SENDER})

_RFC5321 = "RFC 5321 section 4.2"
_RFC3463 = "RFC 3463"
_REGISTRY = "RFC 5248, registry of enhanced status codes"
_RFC4954 = "RFC 4954 section 6"
_SES = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html"
_SENDGRID = "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting"
_GMAIL = "https://knowledge.workspace.google.com/admin/support/troubleshooting/gmail-smtp-errors-and-codes"
_EXCHANGE = "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online"
_ALIYUN = "https://help.aliyun.com/document_detail/44499.html"
_POSTFIX = "https://www.postfix.org/postconf.5.html"
_NETEASE = "https://help.163.com/09/1224/17/5RAJ4LMH00753VB8.html"
_MAILGUN = "https://github.com/Monstarrrr/rebutify/issues/162"
_QQ = "https://github.com/YMFE/yapi/issues/2219"

# The account.
_QUOTA = Meaning(AccountError, Reason.QUOTA, "the account's quota of mails is used up")
_SUSPENDED = Meaning(
    AccountError, Reason.ACCOUNT, "the provider has paused or blocked the account; see its console and its mails to you"
)
_NOT_ACTIVATED = Meaning(
    AccountError, Reason.ACCOUNT, "the account is not activated yet, or may send to test addresses alone; see its console"
)
_NO_RIGHT = Meaning(
    AccountError, Reason.PERMISSION, "user or key may not send mail; grant them the right in the provider's console"
)
_SENDER = Meaning(
    AccountError,
    Reason.SENDER,
    "the sender is not accepted; it must be one of the account's, with a domain the provider has verified",
)
_UNAUTHENTICATED = Meaning(
    AccountError, Reason.SENDER, "the server finds the sender's domain not authenticated; check its SPF, DKIM and DMARC records"
)
_RELAY = Meaning(
    AccountError,
    Reason.PERMISSION,
    "the server does not relay for this account; log in, or let it know this machine or the sender's domain",
)
_MACHINE = Meaning(
    AccountError, Reason.PERMISSION, "the server refuses this machine's address or its reputation; see the server's words"
)
_NOT_FROM_HERE = Meaning(AccountError, Reason.PERMISSION, "the server takes no mail from here")
_WRONG_PORT = Meaning(AccountError, Reason.ENDPOINT, "the server takes no mail; check host and port")
_OWN_NAME = Meaning(AccountError, Reason.CONFIG, "the server does not accept this machine's name; set name")
_NO_TLS = Meaning(AccountError, Reason.ENDPOINT, "the server refuses TLS")
_TLS_NEEDED = Meaning(AccountError, Reason.CONFIG, "the server wants TLS first; remove ignoreTLS, or set secure with port 465")
_DIALOGUE = Meaning(AccountError, Reason.CONFIG, "the server did not understand the dialogue; please report its words")

# Its login.
_LOGIN_NEEDED = Meaning(AccountError, Reason.CREDENTIALS, "the server wants a login; fill in auth.user and auth.pass")
_WRONG_LOGIN = Meaning(
    AccountError,
    Reason.CREDENTIALS,
    "user or password is not accepted; many providers want an app password, or SMTP login to be switched on",
)
_OTHER_LOGIN = Meaning(
    AccountError,
    Reason.CREDENTIALS,
    "instead of its password the account wants an app password, an authorization code or OAuth 2",
)
_LOGIN_OFF = Meaning(AccountError, Reason.CREDENTIALS, "SMTP login is switched off for the account; see its console")
_RENEWAL = Meaning(AccountError, Reason.CREDENTIALS, "the account's password must be renewed for this kind of login")
_NO_SUCH_LOGIN = Meaning(AccountError, Reason.CREDENTIALS, "the server does not know this kind of login")

# Not now.
_CONNECTIONS = Meaning(Throttled, Reason.RATE, "too many connections; lower maxConnections")
_RATE = Meaning(Throttled, Reason.RATE, "too many mails or logins for the server; send slower")
_RECIPIENTS_IN_A_ROW = Meaning(Throttled, Reason.RATE, "too many recipients in a row for the server; send slower")
_GREYLISTED = Meaning(NotSent, Reason.PROVIDER, "the server wants the mail again a little later (greylisting)")
_POLICY = Meaning(NotSent, Reason.PROVIDER, "the server refuses the mail for the moment, by its policy; it may be greylisting")
_CLOSING = Meaning(NotSent, Reason.PROVIDER, "the server is closing the connection; it is busy or going down")
_NO_LOGIN_NOW = Meaning(NotSent, Reason.PROVIDER, "the server cannot check the login for the moment")
_NO_TLS_NOW = Meaning(NotSent, Reason.PROVIDER, "the server cannot do TLS for the moment")
_NO_ROOM = Meaning(NotSent, Reason.PROVIDER, "the server has no room for mail for the moment")
_NEXT_SERVER = Meaning(NotSent, Reason.NETWORK, "the server could not reach the next one")
_SENDER_NOT_FOUND = Meaning(NotSent, Reason.SENDER, "the server could not find the sender's domain")
_NOT_NOW = Meaning(NotSent, Reason.PROVIDER, "the server cannot take the mail for the moment")

# The recipient and the mail.
_FULL_NOW = Meaning(NotSent, Reason.RECIPIENT, "the recipient's mailbox is full")
_RECIPIENT_NOT_NOW = Meaning(NotSent, Reason.RECIPIENT, "the recipient's mailbox takes no mail for the moment")
_FULL = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's mailbox is full")
_NO_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's mailbox does not exist or takes no mail")
_NO_DOMAIN = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's domain takes no mail")
_NOT_ASCII = Meaning(MessageRejected, Reason.RECIPIENT, "the server takes no address with letters beyond ASCII")
_NOT_TO_THIS_ONE = Meaning(
    MessageRejected, Reason.RECIPIENT, "the server takes no mail for this recipient; see the server's words"
)
_SUPPRESSED = Meaning(
    MessageRejected,
    Reason.SUPPRESSED,
    "the provider sends nothing to this address, since earlier mails came back or were complained of; see its suppression list",
)
_TOO_LARGE = Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than the server takes")
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "the server refuses the mail's content, maybe as spam")


def _steps(steps: frozenset[Step] | Step) -> frozenset[Step]:
    return frozenset({steps}) if isinstance(steps, Step) else steps


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return None if text is None else re.compile(text)


@attrs.frozen
class Row:
    """One row: the first that fits a reply decides.

    Args:
        steps: where in the dialogue.
        code: regular expression of the whole reply code.
        enhanced: regular expression of the whole enhanced code, which is empty where there is none; None fits any.
        words: what the words must hold; None fits any.
        meaning: what it means.
        source: the document that it stands on.
        retry_after: seconds to wait where the server does not say.
    """

    steps: frozenset[Step] = attrs.field(converter=_steps)
    code: str
    enhanced: re.Pattern[str] | None = attrs.field(converter=_pattern)
    words: re.Pattern[str] | None
    meaning: Meaning
    source: str
    retry_after: float | None = None


ROWS: tuple[Row, ...] = (
    # The recipient's own limits, which sound like the account's.
    Row(_NAMED, "[45]..", None, words.RECEIVING, _RECIPIENT_NOT_NOW, _GMAIL),
    Row(_NAMED, "4..", None, words.FULL, _FULL_NOW, _GMAIL),
    Row(_NAMED, "5..", None, words.FULL, _FULL, _REGISTRY),
    Row(_NAMED, "5..", None, words.SUPPRESSED, _SUPPRESSED, _ALIYUN),
    Row(_NAMED, "5..", None, words.URL, _CONTENT, _POSTFIX),
    Row(_MAIL, "5..", None, words.TOO_LARGE, _TOO_LARGE, _GMAIL),
    # The account, whatever the step and the code.
    Row(_ANY, "[45]..", r"5\.4\.5", None, _QUOTA, _GMAIL),
    Row(_ANY, "[45]..", None, words.QUOTA, _QUOTA, _SES),
    Row(_MAIL, "421", None, words.SESSION_SPENT, _CLOSING, _SENDGRID),
    Row(_ANY, "[45]..", None, words.CONNECTIONS, _CONNECTIONS, _EXCHANGE),
    Row(_ANY, "[45]..", None, words.RATE, _RATE, _SES),
    Row(_ANY, "[45]..", None, words.NOT_ACTIVATED, _NOT_ACTIVATED, _MAILGUN),
    Row(_ANY, "[45]..", None, words.SUSPENDED, _SUSPENDED, _SES),
    Row(_UNNAMED, "[45]..", None, words.CLOSED, _SUSPENDED, _ALIYUN),
    Row(_BODY, "5..", None, words.ACCOUNT_CLOSED, _SUSPENDED, _ALIYUN),
    Row(_NAMED, "5..", None, words.NO_RECIPIENT, _NO_RECIPIENT, _POSTFIX),
    Row(_ANY - {Step.RECIPIENT}, "5..", None, words.NO_RIGHT, _NO_RIGHT, _SES),
    Row(_MAIL, "[45]..", None, words.LOGIN_NEEDED, _LOGIN_NEEDED, _RFC4954),
    Row(_MAIL, "[45]..", None, words.SENDER, _SENDER, _SENDGRID),
    Row(_ANY, "5..", None, words.MACHINE, _MACHINE, _NETEASE),
    # Connecting.
    Row(_MAIL | {Step.HELLO}, "5..", None, words.OWN_NAME, _OWN_NAME, _POSTFIX),
    Row(_OPENING, "5..", None, re.compile("blocked|denied|rejected", re.IGNORECASE), _MACHINE, _RFC5321),
    Row(Step.GREETING, "554|521", None, None, _NOT_FROM_HERE, "RFC 5321 section 3.1, RFC 7504"),
    Row(Step.GREETING, "5..", None, None, _WRONG_PORT, _RFC5321),
    Row(Step.HELLO, "5..", None, None, _OWN_NAME, _RFC5321),
    Row(Step.TLS, "4..", None, None, _NO_TLS_NOW, "RFC 3207 section 4"),
    Row(Step.TLS, "5..", None, None, _NO_TLS, "RFC 3207 section 4"),
    # Logging in.
    Row(_MAIL | {Step.LOGIN}, "5..", None, words.TLS_NEEDED, _TLS_NEEDED, _GMAIL),
    Row(Step.LOGIN, "538", None, None, _TLS_NEEDED, _RFC4954),
    Row(Step.LOGIN, "[45]..", None, words.OTHER_LOGIN, _OTHER_LOGIN, _QQ),
    Row(Step.LOGIN, "534|535", r"5\.7\.9", None, _OTHER_LOGIN, _GMAIL),
    Row(Step.LOGIN, "5..", None, words.LOGIN_OFF, _LOGIN_OFF, _NETEASE),
    Row(Step.LOGIN, "535", r"5\.7\.139", None, _LOGIN_OFF, _EXCHANGE),
    Row(Step.LOGIN, "432", None, None, _RENEWAL, _RFC4954),
    Row(Step.LOGIN, "4..", r"4\.7\.8", None, _WRONG_LOGIN, _REGISTRY),
    Row(Step.LOGIN, "4..", None, None, _NO_LOGIN_NOW, _RFC4954),
    Row(Step.LOGIN, "5..", None, words.WRONG_LOGIN, _WRONG_LOGIN, _RFC4954),
    Row(Step.LOGIN, "50[0-9]", None, None, _NO_SUCH_LOGIN, _RFC4954),
    Row(Step.LOGIN, "5..", None, None, _WRONG_LOGIN, _RFC4954),
    # A mail refused for want of login or rights.
    Row(_MAIL, "55[0-9]", r"5\.7\.60|5\.2\.252", None, _SENDER, _EXCHANGE),
    Row(_MAIL, "530", None, None, _LOGIN_NEEDED, _RFC4954),
    # Postfix puts it off by default (defer_unauth_destination), yet waiting does not help.
    Row(_MAIL, "[45]..", None, words.RELAY, _RELAY, _POSTFIX),
    Row(_NAMED, "5..", r"5\.7\.(2[0-46]|27|30|509|515)", None, _UNAUTHENTICATED, "RFC 7372"),
    Row(_NAMED, "5..", None, words.UNAUTHENTICATED, _UNAUTHENTICATED, _GMAIL),
    # Not now.
    Row(_MAIL, "4..", None, words.GREYLISTED, _GREYLISTED, "RFC 6647", 60),
    Row(_ANY, "421", r"4\.7\.[0-9]+", None, _RATE, _GMAIL),
    Row(_ANY, "421", None, None, _CLOSING, "RFC 5321 section 3.8"),
    Row(_ANY, "452", r"4\.5\.3", None, _RECIPIENTS_IN_A_ROW, _RFC3463),
    Row(_MAIL, "4..", r"4\.2\.2", None, _FULL_NOW, _RFC3463),
    Row(_MAIL, "4..", r"4\.2\.1", None, _RECIPIENT_NOT_NOW, _RFC3463),
    Row(_MAIL, "4..", r"4\.1\.8", None, _SENDER_NOT_FOUND, _POSTFIX),
    Row(_MAIL, "4..", r"4\.7\.[0-9]+", None, _POLICY, "RFC 6647", 60),
    Row(_MAIL, "4..", r"4\.3\.1", None, _NO_ROOM, _RFC3463),
    Row(_MAIL, "4..", r"4\.4\.[0-9]+", None, _NEXT_SERVER, _RFC3463),
    Row(_ANY, "4..", None, None, _NOT_NOW, _RFC5321),
    # Too large, full.
    Row(_MAIL, "5..", r"5\.3\.4", None, _TOO_LARGE, _RFC3463),
    Row(Step.SENDER, "552", None, None, _TOO_LARGE, "RFC 1870 section 6"),
    Row(_MAIL, "5..", r"5\.2\.2", None, _FULL, _RFC3463),
    Row(Step.RECIPIENT, "552", None, None, _FULL, _RFC5321),
    Row(_BODY, "5..", None, words.CONTENT, _CONTENT, _GMAIL),
    Row(_BODY, "552", None, None, _TOO_LARGE, _RFC5321),
    Row(Step.RECIPIENT, "5..", None, words.CONTENT, _CONTENT, _GMAIL),
    Row(_NAMED, "5..", None, words.SENDER_REJECTED, _SENDER, _POSTFIX),
    # Commands out of order or not understood.
    Row(_MAIL, "50[0-9]", r"(5\.5\.[0-9]+)?", None, _DIALOGUE, _RFC5321),
    # The sender.
    Row(Step.SENDER, "5..", r"5\.6\.7", None, _NOT_ASCII, "RFC 6531 section 3.5"),
    Row(Step.SENDER, "5..", None, None, _SENDER, _RFC5321),
    Row(_MAIL, "5..", r"5\.1\.[78]", None, _SENDER, _RFC3463),
    # The recipient.
    Row(_MAIL, "556", None, None, _NO_DOMAIN, "RFC 7504, RFC 7505"),
    Row(_MAIL, "5..", r"5\.[12]\.[0-9]+", None, _NO_RECIPIENT, _RFC3463),
    Row(Step.RECIPIENT, "5..", r"5\.7\.[0-9]+", None, _NOT_TO_THIS_ONE, _RFC3463),
    Row(Step.RECIPIENT, "5..", None, None, _NO_RECIPIENT, _RFC5321),
    # The content.
    Row(_BODY, "5..", None, None, _CONTENT, _RFC5321),
)
