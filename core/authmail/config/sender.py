"""The sender that a config names, whatever its connector calls the setting."""

import re
from collections.abc import Iterable
from typing import Any

from authmail.config.settings import Settings, fields_of
from authmail.mail.mailbox import Mailbox

_KEY = re.compile(r"from|sender|(?:from|sender)(?:Email|Address|Mail)|accountName|emailAddress", re.IGNORECASE)


def sender_key(keys: Iterable[str]) -> str | None:
    """Return which of a config's keys names the sender's address."""
    return next(filter(_KEY.fullmatch, keys), None)


def sender_of(config: Any) -> Mailbox | None:
    """Return the configured sender; None where the config has no setting for one."""
    if not isinstance(config, Settings):
        return None
    for key, field, _ in fields_of(type(config)):
        if _KEY.fullmatch(key):
            try:
                return Mailbox.parse(getattr(config, field.name))
            except ValueError:
                continue
    return None
