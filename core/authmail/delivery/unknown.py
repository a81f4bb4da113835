"""Whether a message may go out again when nobody knows if it went out already."""

from collections.abc import Mapping
from typing import Literal

from authmail.mail.email import Mail

#: Usage type → what to do: ``resend`` risks a second mail, ``stop`` risks none. Types that are not there follow their
#: payload: a second mail with the same code is harmless, a second invitation is not.
OnUnknown = Mapping[str, Literal["resend", "stop"]]


def may_resend(message: Mail, on_unknown: OnUnknown) -> bool:
    """Whether a message whose outcome is unknown may be sent again."""
    policy = on_unknown.get(message.usage_type)
    return message.repeatable if policy is None else policy == "resend"
