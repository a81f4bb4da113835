"""Replies of SMTP servers and what each means for the sender, as data.

Reply codes: RFC 5321 section 4.2, RFC 4954 section 6 (login), RFC 3207 (STARTTLS), RFC 7504 (521, 556). Enhanced codes:
RFC 3463 and its registry (RFC 5248), RFC 7505 (null MX). Words are looked for where providers use one code for several
things: Gmail's and Microsoft 365's pages of SMTP errors, Amazon SES's list of SMTP responses, Postfix's and Exim's own.
"""

import re

import attrs

from authmail import AccountError, Meaning, MessageRejected, NotSent, Reason, SendError, Throttled
from authmail_smtp.steps import Step

_ANY = frozenset(Step)
_OPENING = frozenset({Step.CONNECT, Step.GREETING, Step.HELLO})
_MAIL = frozenset({Step.SENDER, Step.RECIPIENT, Step.DATA, Step.CONTENT})
_BODY = frozenset({Step.DATA, Step.CONTENT})


@attrs.frozen
class Row:
    """One row: the first that fits a reply decides.

    Args:
        steps: where in the dialogue.
        code: regular expression of the whole reply code.
        enhanced: regular expression of the whole enhanced code, which is empty where there is none; None fits any.
        words: what the text must hold; None fits any.
        meaning: what it means.
        retry_after: seconds to wait where the server does not say.
    """

    steps: frozenset[Step]
    code: str
    enhanced: str | None
    words: re.Pattern[str] | None
    meaning: Meaning
    retry_after: float | None = None


def _row(
    steps: frozenset[Step] | Step,
    code: str,
    enhanced: str | None,
    words: str | None,
    kind: type[SendError],
    reason: Reason,
    hint: str,
    retry_after: float | None = None,
) -> Row:
    steps = frozenset({steps}) if isinstance(steps, Step) else steps
    pattern = re.compile(words, re.IGNORECASE) if words else None
    return Row(steps, code, enhanced, pattern, Meaning(kind, reason, hint), retry_after)


_NAME = "the server does not accept this machine's name; set name"
_CREDENTIALS = "user or password is not accepted; many providers want an app password, or SMTP login to be switched on"
_LOGIN_NEEDED = "the server wants a login; fill in auth.user and auth.pass"
_TLS_NEEDED = "the server wants TLS first; remove ignoreTLS, or set secure with port 465"
_TOO_LARGE = "the mail is larger than the server takes"
_RELAY = "the server does not relay for this account; log in, or let it know this machine or the sender's domain"
_BLOCKED = "the server refuses this machine's address or its reputation; see the server's words"
_SENDER = "the sender is not accepted; it must be one of the account's, with a domain the provider has verified"
_UNKNOWN_RECIPIENT = "the recipient's mailbox does not exist or takes no mail"
_FULL = "the recipient's mailbox is full"
_RATE = "too many mails or logins for the server; send slower"
_QUOTA = "the account's quota of mails is used up"

ROWS: tuple[Row, ...] = (
    # Whatever the step: quota, speed, closing.
    _row(_ANY, "[45]..", r"5\.4\.5", None, AccountError, Reason.QUOTA, _QUOTA),
    _row(_ANY, "[45]..", None, r"(daily|monthly|sending)\W+(\w+\W+){0,3}(quota|limit)", AccountError, Reason.QUOTA, _QUOTA),
    _row(_ANY, "432|4..", r"4\.3\.2", r"concurrent|limit", Throttled, Reason.RATE, "too many connections; lower maxConnections"),
    _row(
        _ANY,
        "4..",
        None,
        r"throttl|too many (?!recipient)|too fast|too quickly|rate ?limit|rate exceeded",
        Throttled,
        Reason.RATE,
        _RATE,
    ),
    _row(_ANY, "421", r"4\.7\.[0-9]+", None, Throttled, Reason.RATE, _RATE),
    _row(_ANY, "421", None, None, NotSent, Reason.PROVIDER, "the server is closing the connection; it is busy or going down"),
    _row(_ANY, "452", r"4\.5\.3", None, Throttled, Reason.RATE, "too many recipients in a row for the server; send slower"),
    # Connecting.
    _row(Step.HELLO, "5..", None, r"\b(helo|ehlo)\b", AccountError, Reason.CONFIG, _NAME),
    _row(
        _OPENING,
        "5..",
        None,
        r"blocked|black ?list|block ?list|spamhaus|reputation|denied|rejected",
        AccountError,
        Reason.PERMISSION,
        _BLOCKED,
    ),
    _row(Step.GREETING, "554|521", None, None, AccountError, Reason.PERMISSION, "the server takes no mail from here"),
    _row(Step.GREETING, "5..", None, None, AccountError, Reason.ENDPOINT, "the server takes no mail; check host and port"),
    _row(Step.HELLO, "5..", None, None, AccountError, Reason.CONFIG, _NAME),
    _row(Step.TLS, "4..", None, None, NotSent, Reason.PROVIDER, "the server cannot do TLS for the moment"),
    _row(Step.TLS, "5..", None, None, AccountError, Reason.ENDPOINT, "the server refuses TLS"),
    # Logging in.
    _row(
        Step.LOGIN,
        "432",
        None,
        None,
        AccountError,
        Reason.CREDENTIALS,
        "the account's password must be renewed for this kind of login",
    ),
    _row(Step.LOGIN, "4..", None, None, NotSent, Reason.PROVIDER, "the server cannot check the login for the moment"),
    _row(
        Step.LOGIN, "534|535", r"5\.7\.9", None, AccountError, Reason.CREDENTIALS, "the account wants an app password or OAuth 2"
    ),
    _row(
        Step.LOGIN,
        "535",
        r"5\.7\.139",
        None,
        AccountError,
        Reason.CREDENTIALS,
        "SMTP login is switched off for the account; see its console",
    ),
    _row(Step.LOGIN, "53[0-9]", r"5\.7\.1|5\.7\.0", r"starttls", AccountError, Reason.CREDENTIALS, _TLS_NEEDED),
    _row(Step.LOGIN, "538", None, None, AccountError, Reason.CREDENTIALS, _TLS_NEEDED),
    _row(Step.LOGIN, "50[0-9]", None, None, AccountError, Reason.CREDENTIALS, "the server does not know this kind of login"),
    _row(Step.LOGIN, "5..", None, None, AccountError, Reason.CREDENTIALS, _CREDENTIALS),
    # A mail refused for want of login, TLS or rights.
    _row(_MAIL, "5..", None, r"starttls", AccountError, Reason.CONFIG, _TLS_NEEDED),
    _row(_MAIL, "530", None, None, AccountError, Reason.CREDENTIALS, _LOGIN_NEEDED),
    _row(
        _MAIL,
        "503|55[0-9]",
        None,
        r"auth(entication)? (is )?required|must (be )?authenticate|log ?in first",
        AccountError,
        Reason.CREDENTIALS,
        _LOGIN_NEEDED,
    ),
    # Postfix puts it off by default (defer_unauth_destination), yet waiting does not help.
    _row(_MAIL, "4..", None, r"relay access denied|relaying denied", AccountError, Reason.PERMISSION, _RELAY),
    _row(_MAIL, "5..", None, r"\brelay", AccountError, Reason.PERMISSION, _RELAY),
    _row(
        _MAIL,
        "5..",
        None,
        r"spamhaus|black ?list|block ?list|client host|poor reputation|ip address",
        AccountError,
        Reason.PERMISSION,
        _BLOCKED,
    ),
    _row(_MAIL, "55[0-9]", r"5\.7\.60|5\.2\.252", None, AccountError, Reason.SENDER, _SENDER),
    _row(
        _MAIL,
        "55[0-9]",
        None,
        r"not verified|sendasdenied|sender address rejected|not (allowed|permitted|authorized) to send",
        AccountError,
        Reason.SENDER,
        _SENDER,
    ),
    # Not now.
    _row(
        _MAIL,
        "4..",
        None,
        r"gr[ae]y-?list",
        NotSent,
        Reason.PROVIDER,
        "the server wants the mail again a little later (greylisting)",
        60,
    ),
    _row(_MAIL, "4..", r"4\.2\.2", None, NotSent, Reason.RECIPIENT, _FULL),
    _row(_MAIL, "4..", r"4\.2\.1", None, NotSent, Reason.RECIPIENT, "the recipient's mailbox takes no mail for the moment"),
    _row(_MAIL, "4..", r"4\.1\.8", None, NotSent, Reason.SENDER, "the server could not find the sender's domain"),
    _row(
        _MAIL,
        "4..",
        r"4\.7\.[0-9]+",
        None,
        NotSent,
        Reason.PROVIDER,
        "the server refuses the mail for the moment, by its policy; it may be greylisting",
        60,
    ),
    _row(_MAIL, "452|4..", r"4\.3\.1", None, NotSent, Reason.PROVIDER, "the server has no room for mail for the moment"),
    _row(_MAIL, "4..", r"4\.4\.[0-9]+", None, NotSent, Reason.NETWORK, "the server could not reach the next one"),
    _row(_ANY, "4..", None, None, NotSent, Reason.PROVIDER, "the server cannot take the mail for the moment"),
    # Too large, full.
    _row(_MAIL, "5..", r"5\.3\.4", None, MessageRejected, Reason.CONTENT, _TOO_LARGE),
    _row(Step.SENDER, "552", None, None, MessageRejected, Reason.CONTENT, _TOO_LARGE),
    _row(_MAIL, "5..", r"5\.2\.2", None, MessageRejected, Reason.RECIPIENT, _FULL),
    _row(Step.RECIPIENT, "552", None, None, MessageRejected, Reason.RECIPIENT, _FULL),
    _row(_BODY, "552", None, None, MessageRejected, Reason.CONTENT, _TOO_LARGE),
    # Commands out of order or not understood.
    _row(
        _MAIL,
        "50[0-9]",
        r"(5\.5\.[0-9]+)?",
        None,
        AccountError,
        Reason.CONFIG,
        "the server did not understand the dialogue; please report its words",
    ),
    # The sender.
    _row(
        Step.SENDER,
        "5..",
        r"5\.6\.7",
        None,
        MessageRejected,
        Reason.RECIPIENT,
        "the server takes no address with letters beyond ASCII",
    ),
    _row(Step.SENDER, "5..", None, None, AccountError, Reason.SENDER, _SENDER),
    _row(_MAIL, "5..", r"5\.1\.[78]", None, AccountError, Reason.SENDER, _SENDER),
    # The recipient.
    _row(_MAIL, "556|5..", r"5\.1\.10", None, MessageRejected, Reason.RECIPIENT, "the recipient's domain takes no mail"),
    _row(_MAIL, "5..", r"5\.[12]\.[0-9]+", None, MessageRejected, Reason.RECIPIENT, _UNKNOWN_RECIPIENT),
    _row(Step.RECIPIENT, "5..", r"5\.7\.1", None, AccountError, Reason.PERMISSION, _RELAY),
    _row(Step.RECIPIENT, "5..", None, None, MessageRejected, Reason.RECIPIENT, _UNKNOWN_RECIPIENT),
    # The content.
    _row(_BODY, "5..", None, None, MessageRejected, Reason.CONTENT, "the server refuses the mail's content, maybe as spam"),
)
