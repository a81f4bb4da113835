"""Whether authmail's templates have words for a message, or those of the framework are sent."""

from authmail.hosts.outbox import Outbox
from authmail.mail.message import Message
from authmail.mail.vital import REQUIRED
from authmail.outcomes import SendError
from authmail.templates.choice import missing_vital


def has_words(outbox: Outbox, message: Message, *, of_its_own: bool = False) -> bool:
    """Whether a template says what a message means: it has a place for the code or link, and asks for no other.

    Args:
        outbox: whose templates.
        message: the message.
        of_its_own: a template of just this type is needed, as for news, which ``Generic`` words do not tell.
    """
    try:
        template = outbox.template_of(message)
    except SendError:
        return False
    if template is None:  # the provider or its receiver writes the mail
        return True
    asked = missing_vital(template, {})
    given = [name for name in REQUIRED if message.payload.get(name)]
    return set(asked) <= set(given) and bool(asked) == bool(given) and (not of_its_own or template.usage_type == message.type)
