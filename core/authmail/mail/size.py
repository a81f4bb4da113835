"""How large a message may be, whichever kind it is."""

from authmail.mail.bounds import check_payload, check_size
from authmail.mail.email import Email, Mail


def check_mail(message: Mail) -> None:
    """Refuse a message that is too large.

    Raises:
        MessageRejected: the payload, or the parts of a rendered mail together; with the figure.
    """
    if isinstance(message, Email):
        check_size((message.subject, message.html or "", message.text or "", *message.headers.values()))
    else:
        check_payload(message.payload)
