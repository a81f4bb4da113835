"""The language of the person at the terminal."""

import os
from collections.abc import Callable
from typing import Any

import click

from authmail.words.text import in_language

_CHOSEN = "authmail.language"


def reader() -> str:
    """Return the language to print in: of ``--lang``, else of the environment as POSIX has it, else English."""
    context = click.get_current_context(silent=True)
    chosen = context.meta.get(_CHOSEN) if context is not None else None
    return str(chosen or _of_environment())


def _of_environment() -> str:
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    tag = next(filter(None, names), "").partition(".")[0].partition("@")[0].replace("_", "-")
    return "en" if tag in ("", "C", "POSIX") else tag


def told(text: str) -> str:
    """Return a text for people in their language."""
    return str(in_language(text, reader()))


def language_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --lang to a command: the language of what it prints."""

    def choose(context: click.Context, _: click.Parameter, tag: str | None) -> None:
        if tag:
            context.meta[_CHOSEN] = tag

    help_text = "Language of what is printed: en, fr or zh-CN. By default that of LANG."
    return click.option("--lang", metavar="TAG", expose_value=False, callback=choose, help=help_text)(function)
