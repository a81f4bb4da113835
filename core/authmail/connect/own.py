"""The names that are authmail's own: no other distribution gets a connector by one of them."""

from importlib.metadata import EntryPoint

#: Id → module and target of each connector that comes with authmail.
OWN = {
    "aliyun-direct-mail": ("authmail_aliyun_dm", "aliyun-dm"),
    "aws-ses-mail": ("authmail_ses", "aws-ses"),
    "brevo-mail": ("authmail_brevo", "brevo"),
    "http-email": ("authmail_http", "http-email"),
    "infobip-mail": ("authmail_infobip", "infobip"),
    "mailersend-mail": ("authmail_mailersend", "mailersend"),
    "mailgun-email": ("authmail_mailgun", "mailgun-email"),
    "mailjet-mail": ("authmail_mailjet", "mailjet"),
    "mailjunky-email-service": ("authmail_mailjunky", "mailjunky-mail"),
    "mandrill-mail": ("authmail_mandrill", "mandrill"),
    "postmark-mail": ("authmail_postmark", "postmark-mail"),
    "resend-mail": ("authmail_resend", "resend"),
    "scaleway-tem-mail": ("authmail_scaleway_tem", "scaleway-tem"),
    "sendgrid-email-service": ("authmail_sendgrid", "sendgrid-mail"),
    "simple-mail-transfer-protocol": ("authmail_smtp", "smtp"),
    "smtp2go-email-service": ("authmail_smtp2go", "smtp2go-email"),
    "sparkpost-mail": ("authmail_sparkpost", "sparkpost"),
}
#: Target → id.
OWN_TARGETS = {target: identity for identity, (_, target) in OWN.items()}
_NAMES = {*OWN, *OWN_TARGETS}


def is_own(point: EntryPoint) -> bool:
    """Whether an entry point is that of a connector of authmail's own: by its module, for a distribution may have any name."""
    return point.name in OWN and point.module == OWN[point.name][0]


def takes_own_name(point: EntryPoint, *names: str) -> str | None:
    """Return which of its names a foreign entry point has from authmail; None where it has none.

    Args:
        point: the entry point, whose own name counts too.
        *names: further ones, such as its target.
    """
    return None if is_own(point) else next((name for name in (point.name, *names) if name in _NAMES), None)
