"""System checks: ``manage.py check``, ``runserver`` and ``migrate`` show every problem of the config before a mail is missed."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from authmail.errors import ConfigError
from authmail.hosts.django.outboxes import configured, made
from authmail.hosts.outbox import Source

_BACKEND = "authmail.hosts.django.EmailBackend"


def check_config(app_configs: object, **_: Any) -> list[CheckMessage]:  # noqa: ARG001 (Django's arguments)
    """Return an error for each problem of each config that the settings name. Nothing is opened, and nobody asked."""
    return [message for place, source in _sources() for message in _problems(place, source)]


def _sources() -> Iterator[tuple[str, Source | None]]:
    mailers = getattr(settings, "MAILERS", None) or {}
    options = {
        f"MAILERS[{alias!r}]": mailer.get("OPTIONS") or {}
        for alias, mailer in mailers.items()
        if isinstance(mailer, dict) and mailer.get("BACKEND") == _BACKEND
    }
    given = {f"{place}['OPTIONS']['config']": one["config"] for place, one in options.items() if one.get("config") is not None}
    if len(given) < len(options) or not options or getattr(settings, "AUTHMAIL", None) is not None:
        yield "AUTHMAIL", None
    yield from given.items()


def _problems(place: str, source: Source | None) -> Iterator[CheckMessage]:
    try:
        made(configured() if source is None else source)
    except ConfigError as error:
        for problem in error.problems:
            where = place if problem.path in ("", "AUTHMAIL") else f"{place}: {problem.path}"
            yield Error(f"{where} {problem.message}", hint=str(problem.hint) or None, id="authmail.E001")
    except OSError as error:
        yield Error(f"{place} names a file that cannot be read: {error.strerror}", hint=str(error.filename), id="authmail.E002")
