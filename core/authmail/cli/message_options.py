"""Options that describe a message on the command line."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import click

from authmail import Message, UsageType, say
from authmail.cli.language import told
from authmail.templates.samples import sample_payload
from authmail.words.languages import is_language, language_named
from authmail.words.near import nearest


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


def message_of(to: str, usage_type: str, locale: str | None, payload: tuple[str, ...], own_types: Iterable[str] = ()) -> Message:
    """Return the message that the options describe: the usage type's sample payload, with the given values in it.

    Args:
        to: recipient.
        usage_type: of authmail's, or of the file's own; one that is nearly one of them is a slip.
        locale: a language tag.
        payload: values, ``name=value``.
        own_types: usage types of the file's templates.
    """
    _check_names(usage_type, locale, [*UsageType, *own_types])
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


def _check_names(usage_type: str, locale: str | None, types: list[str]) -> None:
    """End with wrong usage where a type or a language is a slip, so that nobody takes a Generic mail for the one meant."""
    if usage_type not in types and (near := nearest(usage_type, types)):
        raise click.UsageError(told(say("--type {written}: did you mean {near}?", written=usage_type, near=near)))
    if locale is not None and not is_language(locale):
        near = language_named(locale)
        like = say("did you mean {near}?", near=near) if near else say("such as fr, fr-CA or zh-CN")
        raise click.UsageError(told(say("--locale {written} is not a language tag: {hint}", written=locale, hint=like)))
