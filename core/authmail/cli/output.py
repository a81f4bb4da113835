"""What commands print: aligned columns, problems, outcomes. Nothing from outside moves the cursor or turns text around."""

import json
import math
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import click

from authmail import Problem, SendError, say
from authmail.cli.language import reader, told


class Styled(str):
    """A text that is fit to print as it is: its control characters are colours of ours."""

    __slots__ = ()


def visible(text: str) -> str:
    """Return a text with its control, format and unassigned characters written out: ``\\x1b``, ``\\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char in "\n\t" or not _is_hidden(char) else _written_out(char) for char in text)


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _written_out(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def styled(text: str, **style: Any) -> Styled:
    """Return a text in colour, bold or dim."""
    return Styled(click.style(visible(text), **style))


def echo(*parts: str, err: bool = False) -> None:
    """Print a line. Whatever is not made by :func:`styled` may be from outside, and is printed by :func:`visible`."""
    click.echo("".join(part if isinstance(part, Styled) else visible(part) for part in parts), err=err)


def is_watched() -> bool:
    """Whether somebody sees how it goes."""
    return sys.stderr.isatty()


def print_progress(text: str) -> None:
    """Show how it goes, in place of what was shown before; nothing where nobody watches. An empty text ends it."""
    if is_watched():
        click.echo(f"\r\x1b[K{visible(text)}", err=True, nl=False)


def print_part(text: str) -> None:
    """Print a part of a mail: as it is into a file or another program, visibly at a terminal."""
    if sys.stdout.isatty():
        echo(text)
    else:
        click.echo(text)


def print_json(value: Any) -> None:
    """Print a value for machines, and for eyes."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    click.echo("".join(json.dumps(char)[1:-1] if char != "\n" and _is_hidden(char) else char for char in text))


def print_table(rows: Iterable[Sequence[str]], indent: str = "", notes: Sequence[str] = ()) -> None:
    """Print rows in aligned columns, the first row as heading.

    Args:
        rows: of texts.
        indent: before each line.
        notes: one for each row after the heading, printed below it and wrapped to the terminal.
    """
    rows = [[visible(str(cell)) for cell in row] for row in rows]
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    columns = shutil.get_terminal_size().columns
    for number, row in enumerate(rows):
        line = "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        echo(indent, styled(line, bold=True) if number == 0 else line)
        if notes and number:
            margin = indent + "    "
            # Names such as ap-southeast-1 stay whole: people copy them.
            echo(
                textwrap.fill(notes[number - 1], columns, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
            )


def _width(text: str) -> int:
    """Return the columns that a text takes; Chinese characters take two."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, width: int) -> str:
    """Return a text with blanks behind it, up to so many columns."""
    return text + " " * (width - _width(text))


def print_problems(name: str, problems: Sequence[Problem], warnings: Sequence[Problem] = (), *, as_json: bool = False) -> None:
    """Print every problem of a config, and its warnings beside them; on standard error unless a machine reads."""
    # What a problem has named already need not be said twice.
    named = {str(value) for problem in problems for value in (problem.hint.values or {}).values()}
    warnings = [warning for warning in warnings if warning.path.rpartition(".")[2] not in named]
    if as_json:
        print_json({"valid": False, "problems": as_dicts(problems), "warnings": as_dicts(warnings)})
        return
    count = say("{name}: 1 problem", name=name)
    if len(problems) > 1:
        count = say("{name}: {count} problems", name=name, count=len(problems))
    echo(styled(told(count), fg="red", bold=True), err=True)
    print_findings(problems, err=True)
    print_warnings(warnings, err=True)


def as_dicts(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Return problems for machines, in the language of whoever asked."""
    return [
        {"path": problem.path, "message": problem.message_in(reader()), "hint": problem.hint_in(reader())} for problem in problems
    ]


def print_warnings(warnings: Sequence[Problem], *, err: bool = False) -> None:
    """Print warnings, if there are any, under a line that counts them."""
    if warnings:
        count = say("1 warning") if len(warnings) == 1 else say("{count} warnings", count=len(warnings))
        echo(styled(told(count), fg="yellow", bold=True), err=err)
        print_findings(warnings, err=err)


def print_findings(problems: Iterable[Problem], *, err: bool = False) -> None:
    """Print problems or warnings, a line each and the hint below."""
    for problem in problems:
        path = problem.path or told(say("(whole config)"))
        echo("  ", styled(path, bold=True), f"  {problem.message_in(reader())}", err=err)
        if problem.hint:
            echo(f"      {problem.hint_in(reader())}", err=err)


def fail(error: SendError, *, err: bool = True, mail: bool = True) -> None:
    """Print what happened, why, and, if a mail was to be sent, what certainly did not happen to it."""
    language = reader()
    hint = error.hint_in(language)
    echo(styled(f"{error.outcome_in(language)}: {hint}", fg="red", bold=True), err=err)
    facts = {
        say("connector"): error.connector,
        say("reason"): error.reason,
        say("code"): error.code,
        say("status"): error.status,
        say("request id"): error.request_id,
        say("retry after"): None if error.retry_after is None else f"{math.ceil(error.retry_after)} s",
        say("provider said"): error.detail,
        say("tried"): ("\n" + " " * 18).join(error.tried) if len(error.tried) > 1 else None,
    }
    for name, value in facts.items():
        if value not in (None, ""):
            echo(f"  {padded(told(name) + ':', 15)} {value}", err=err)
    if mail:
        echo(f"  {told(error.consequence)}", err=err)


def print_strangers(names: Iterable[str], indent: str = "") -> None:
    """Say which placeholders have a stranger's words; nothing where there are none."""
    if listed := ", ".join(names):
        words = say("words of strangers, made harmless (see docs/templates.md): {names}", names=listed)
        echo(indent, styled(told(words), dim=True))
