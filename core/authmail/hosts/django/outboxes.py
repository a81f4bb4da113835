"""The process's outboxes, one for each config: they outlive backends and adapters, which Django makes anew for each mail."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

from authmail.errors import ConfigError, Problem
from authmail.hosts.outbox import Outbox, Source
from authmail.privacy import raise_afresh
from authmail.words.text import say

# Each with its config, which must live as long as its id stands for it.
_made: dict[object, tuple[Source, Outbox]] = {}


@raise_afresh  # the config holds secrets
def delivery(config: Source | None = None) -> Outbox:
    """Return the process's delivery of a config: made at the first call, opened at the first message, the same ever after.

    Args:
        config: the path of an ``authmail.toml``, or the same as a dict; the setting ``AUTHMAIL`` by default.

    Raises:
        ConfigError: every problem of the config at once.
    """
    source = configured() if config is None else config
    key = id(source) if isinstance(source, dict) else str(source)
    if key not in _made:
        # Of two threads that come at once one is kept; the other's was never opened.
        _made.setdefault(key, (source, made(source)))
    return _made[key][1]


def made(source: Source) -> Outbox:
    """Return a new outbox of a config, which is not opened; relative paths start at ``BASE_DIR``.

    Raises:
        ConfigError: every problem of the config at once.
    """
    return Outbox(source, folder())


def folder() -> Path:
    """Return where relative paths start: the setting ``BASE_DIR``, else the working directory."""
    return Path(getattr(settings, "BASE_DIR", None) or ".")


def configured() -> Source:
    """Return the setting ``AUTHMAIL``.

    Raises:
        ConfigError: it is not set.
    """
    source: Source | None = getattr(settings, "AUTHMAIL", None)
    if source is None:
        hint = say('AUTHMAIL = BASE_DIR / "authmail.toml", or the same as a dict, in settings.py')
        raise ConfigError([Problem("AUTHMAIL", say("is not set"), hint)])
    return source


def _forget(*, setting: str, **_: Any) -> None:
    """In tests, which change settings: what was made of the old ones is closed, once it has sent what it was given."""
    if setting in ("AUTHMAIL", "BASE_DIR", "MAILERS"):
        while _made:
            _made.popitem()[1][1].close()


setting_changed.connect(_forget, dispatch_uid="authmail.hosts.django")
