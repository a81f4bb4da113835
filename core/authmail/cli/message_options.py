"""Options that describe a message on the command line."""

import copy
from collections.abc import Callable
from typing import Any

import click

from authmail import Message, UsageType
from authmail.templates.samples import sample_payload


def message_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --type, --locale and --payload to a command."""
    for option in (
        click.option("--payload", multiple=True, metavar="KEY=VALUE",
                     help="A value of the payload; dots reach inside: organization.name=Acme. The rest is a sample, code 000000."),
        click.option("--locale", metavar="TAG", help="The reader's language, such as fr-CA."),
        click.option("--type", "usage_type", default=UsageType.GENERIC.value, show_default=True, metavar="TYPE",
                     help=f"Usage type: {', '.join(UsageType)}, or another of your templates."),
    ):  # fmt: skip
        function = option(function)
    return function


def message_of(to: str, usage_type: str, locale: str | None, payload: tuple[str, ...]) -> Message:
    """Return the message that the options describe: the usage type's sample payload, with the given values in it."""
    values = copy.deepcopy(sample_payload(usage_type, locale))
    for assignment in payload:
        path, equals, value = assignment.partition("=")
        *parents, key = path.split(".")
        if not equals or not all((*parents, key)):
            raise click.UsageError(f"--payload takes KEY=VALUE, such as code=123456; {path!r} is not")
        place = values
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise click.UsageError(f"--payload: {path!r} reaches inside {parent!r}, which is a text")
            place = inner
        place[key] = value
    return Message(to=to, type=usage_type, payload=values)
