"""What commands print: aligned columns, problems, outcomes."""

import json
import math
import shutil
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import click

from authmail import Problem, SendError


def print_json(value: Any) -> None:
    """Print a value for machines."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(rows: Iterable[Sequence[str]], indent: str = "", notes: Sequence[str] = ()) -> None:
    """Print rows in aligned columns, the first row as heading.

    Args:
        rows: of texts.
        indent: before each line.
        notes: one for each row after the heading, printed below it and wrapped to the terminal.
    """
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    columns = shutil.get_terminal_size().columns
    for number, row in enumerate(rows):
        line = "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(indent + (click.style(line, bold=True) if number == 0 else line))
        if notes and number:
            margin = indent + "    "
            # Names such as ap-southeast-1 stay whole: people copy them.
            click.echo(
                textwrap.fill(notes[number - 1], columns, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
            )


def _width(text: str) -> int:
    """Return the columns that a text takes; Chinese characters take two."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def print_problems(name: str, problems: Sequence[Problem], *, as_json: bool = False) -> None:
    """Print every problem of a config, on standard error unless a machine reads."""
    if as_json:
        print_json({"valid": False, "problems": [attrs.asdict(problem) for problem in problems]})
        return
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    click.echo(click.style(f"{name}: {count}", fg="red", bold=True), err=True)
    print_findings(problems, err=True)


def print_findings(problems: Iterable[Problem], *, err: bool = False) -> None:
    """Print problems or warnings, a line each and the hint below."""
    for problem in problems:
        click.echo(f"  {click.style(problem.path or '(whole config)', bold=True)}  {problem.message}", err=err)
        if problem.hint:
            click.echo(f"      {problem.hint}", err=err)


def fail(error: SendError, *, err: bool = True, mail: bool = True) -> None:
    """Print what happened, why, and, if a mail was to be sent, what certainly did not happen to it."""
    click.echo(click.style(f"{error.outcome}: {error.hint}", fg="red", bold=True), err=err)
    facts = {
        "connector": error.connector,
        "reason": error.reason,
        "code": error.code,
        "status": error.status,
        "request id": error.request_id,
        "retry after": None if error.retry_after is None else f"{math.ceil(error.retry_after)} s",
        "provider said": error.detail,
        "tried": ("\n" + " " * 18).join(error.tried) if len(error.tried) > 1 else None,
    }
    for name, value in facts.items():
        if value not in (None, ""):
            click.echo(f"  {name + ':':<15} {value}", err=err)
    if mail:
        click.echo(f"  {error.consequence}", err=err)
