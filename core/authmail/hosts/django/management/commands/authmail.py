"""``manage.py authmail``: authmail's own commands, with the config of the settings."""

import io
import json
import sys
from argparse import REMAINDER, ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from os import PathLike
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authmail.delivery.stores.at import is_server
from authmail.errors import ConfigError
from authmail.hosts.django.outboxes import configured, folder
from authmail.hosts.outbox import Source

_COMMANDS = ("check", "preview", "send", "explain")


class Command(BaseCommand):  # type: ignore[misc]  # Django has no types
    """The command; what follows its name is for authmail."""

    help = (
        "authmail's commands with the config of the setting AUTHMAIL: check, preview, send, explain; see authmail COMMAND --help."
    )
    requires_system_checks: tuple[str, ...] = ()  # a config with problems is what `check` is for

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name, and all the rest as it is."""
        parser.add_argument("name", choices=_COMMANDS)
        parser.add_argument("rest", nargs=REMAINDER, metavar="...")

    def handle(self, *_: Any, name: str, rest: list[str], **__: Any) -> None:
        """Run authmail's command. It prints by itself; its exit code is the process's."""
        try:
            source = configured()
        except ConfigError as error:
            raise CommandError(str(error)) from None
        with _readable(source) as config:
            # Loaded by its name: the command line stands above this room.
            code = _exit_code(import_module("authmail.cli").main, [name, config, *rest])
        if code:
            raise SystemExit(code)


def _exit_code(main: Any, arguments: list[str]) -> int:
    try:
        main(args=arguments, prog_name="manage.py authmail")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextmanager
def _readable(source: Source) -> Iterator[str]:
    """Give what the command line reads: a path, or ``-`` while standard input holds the dict, whose secrets so get into no file."""
    if not isinstance(source, Mapping):
        yield str(folder() / source)
        return
    given = {**source, **{key: _absolute(source[key]) for key in ("templates", "store") if source.get(key)}}
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(json.dumps(given, default=str).encode()), "utf-8")
    try:
        yield "-"
    finally:
        sys.stdin = before


def _absolute(place: Any) -> Any:
    """Return a path as it is read from anywhere; a server's address and a reference as they are."""
    return place if not isinstance(place, str | PathLike) or is_server(str(place)) else str(folder().absolute() / place)
