"""The id that a server gives a mail which it took, as its support asks for it, by the form of the reply. Data."""

import re

import attrs

# A word of printable ASCII without the brackets around it; one that is longer is no id.
_ID = r"[!-;=?-~]{3,200}(?![!-;=?-~])"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


@attrs.frozen
class Form:
    """How servers write the id of a mail.

    Args:
        pattern: finds it in the reply as one line; the id is its first group.
        source: who writes so, and where that was seen.
    """

    pattern: re.Pattern[str] = attrs.field(converter=_pattern)
    source: str


#: The first that fits counts: the special ones stand before the plain ones.
FORMS: tuple[Form, ...] = (
    Form(r"###envid=([0-9]{1,40})", "Aliyun Direct Mail and mail for enterprises"),
    Form(r"\bqueued on [\w.-]{1,255} (?:as )?([\w-]{8,100})", "Yandex: https://github.com/nodemailer/nodemailer/issues/422"),
    Form(rf"(?<!\S)({_ID}) - gsmtp\b", "Gmail: https://support.google.com/a/answer/3726730"),
    Form(r"\bInternalId=([0-9]{1,40})", "Exchange, Microsoft 365: with Hostname, for message traces"),
    Form(rf"<({_ID})> ?Queued mail for delivery", "Exchange without InternalId, older Microsoft servers"),
    # "freedom" is what Aliyun calls every mail.
    Form(rf"\bqueued as <?(?!freedom\b)({_ID})", "Postfix, SendGrid, Brevo, Mailjet, Mandrill, NetEase, ZoneMTA"),
    Form(r"\bmessage queued \(([\w.-]{8,100})\)", "Haraka: https://github.com/PHPMailer/PHPMailer"),
    Form(r"\bqueued:? <?((?=[\w-]{0,100}[0-9])[\w-]{8,100})", "https://github.com/emersion/go-smtp/pull/278, Stalwart"),
    Form(rf"\b(?:msg)?id[=:] ?<?({_ID})", "Exim: https://www.exim.org/exim-html-current/doc/html/spec_html/"),
    Form(r"(?<!\S)(\w{8,40}) Message accepted for delivery", "Sendmail: https://github.com/PHPMailer/PHPMailer"),
    Form(r"\bok:? +<?((?=[\w.@+-]{0,200}[0-9])[\w.@+-]{6,200})", "Amazon SES: the id alone; qmail: the time"),
)


def queue_id(line: str) -> str | None:
    """Return the id in a reply's text, one line; None if no form fits. The mail is accepted all the same."""
    return next((match[1].rstrip(".,;)>") for form in FORMS if (match := form.pattern.search(line))), None)
