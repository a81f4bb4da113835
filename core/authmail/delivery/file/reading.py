"""A file of JSON or TOML becomes an object; what cannot be read is told as what it most likely is, with its line."""

import codecs
import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

from authmail.errors import ConfigError, Problem
from authmail.words.text import Text, say

_CURLY = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
_YAML_LINE = re.compile(r"(?:- )?[A-Za-z_][\w-]*:(?:\s|$)|---\s*$")
_TOML_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_KEY_WITHOUT_QUOTES = re.compile(r"[A-Za-z_][\w-]*\s*:")

#: What may stand at the place of an error of JSON, and what to do about it.
_WRITE_STRAIGHT = say('write straight ones: "')
_NO_COMMENTS = say("remove it; a TOML file may have comments, after #")
_ESCAPE = say(r"double it: \\; or write C:/Users with a slash")
_LITERAL = say(r"write it in single quotes, 'C:\Users', or double the backslash")


def parse_settings(content: bytes, name: str) -> dict[str, Any]:
    """Return what a file of JSON or TOML holds.

    Raises:
        ConfigError: it is neither, or no object; with the line, what it most likely is, and what to do.
    """
    text = _decoded(content, name)
    try:
        is_json = text.lstrip().startswith("{") or (name.endswith(".json") and not _is_yaml(text, name))
        data = _json(text) if is_json else _toml(text, name)
    except RecursionError:
        problem = Problem("", say("{name} {problem}", name=name, problem=say("is nested too deeply")))
    except _Unreadable as error:
        where = say("{name}, line {line}: {problem}", name=name, line=error.line, problem=error.problem)
        problem = Problem("", where if error.line else say("{name} {problem}", name=name, problem=error.problem), error.hint)
    else:
        if isinstance(data, dict):
            return data
        problem = Problem("", say("{name} {problem}", name=name, problem=say("must hold an object")))
    raise ConfigError([problem])


class _Unreadable(Exception):
    """What a text is instead of JSON or TOML: the line, or 0; what is there; what to do."""

    def __init__(self, line: int, problem: Text, hint: str = "") -> None:
        super().__init__()
        self.line, self.problem, self.hint = line, problem, hint


def _decoded(content: bytes, name: str) -> str:
    """Return the text of a file, also of one that Windows PowerShell wrote."""
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    place = say("{name}, line {line}: {problem}", name=name, line=line, problem=say("is not UTF-8"))
    raise ConfigError([Problem("", place, say("save it as UTF-8; editors ask for it as the encoding"))])


def _is_yaml(text: str, name: str) -> bool:
    if name.endswith((".yaml", ".yml")):
        return True
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return _YAML_LINE.match(next(lines, "")) is not None


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once_each)
    except json.JSONDecodeError as error:
        raise _json_slip(text, error) from None
    except _Twice as twice:
        key = str(twice)
        places = [match.start() for match in re.finditer(rf"{re.escape(json.dumps(key, ensure_ascii=False))}\s*:", text)]
        line = text.count("\n", 0, places[1]) + 1 if len(places) > 1 else 0
    raise _Unreadable(line, say("the key {key} is there twice", key=key), say("keep one of them"))


class _Twice(Exception):
    pass


def _once_each(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _json_slip(text: str, error: json.JSONDecodeError) -> _Unreadable:
    """Return what stands at the place of an error, in words."""
    rest, before = text[error.pos :].lstrip(), text[: error.pos].rstrip()
    line = error.lineno
    slips: list[tuple[bool, Text, Text]] = [
        (rest.startswith(("//", "/*", "#")), say("a comment, which JSON does not have"), _NO_COMMENTS),
        (_ends_in_comma(before, rest), say("a comma after the last entry"), say("remove the comma")),
        (rest[:1] in _CURLY and rest != "", say("curly quotes, as word processors write them"), _WRITE_STRAIGHT),
        (rest.startswith("'"), say("single quotes"), say('JSON has double ones: "')),
        ("escape" in error.msg, say("a backslash, which JSON reads together with what follows it"), _ESCAPE),
        ("control character" in error.msg, say("a text that goes on in the next line"), say(r"close its quotes, or write \n")),
        (
            not rest,
            say("the end of the file, though something is still open"),
            say("close every {brackets}", brackets='{, [ and "'),
        ),
        (_KEY_WITHOUT_QUOTES.match(rest) is not None, say("a key without quotes"), say('write "key": value')),
        (rest.startswith(("True", "False", "None")), say("a word of Python"), say("write true, false or null")),
        ("',' delimiter" in error.msg, say("no comma before the next entry"), say("add the comma at the end of the line before")),
        ("':' delimiter" in error.msg, say("no colon after the key"), say('write "key": value')),
        ("Extra data" in error.msg, say("more text after the end of the object"), say("remove it")),
    ]
    if _ends_in_comma(before, rest):  # the comma may stand some lines above
        line = text.count("\n", 0, before.rfind(",") if before.endswith(",") else error.pos) + 1
    for fits, what, hint in slips:
        if fits:
            return _Unreadable(line, what, hint)
    problem = say(
        "cannot be read as JSON: {error} at line {line}, column {column}", error=error.msg, line=line, column=error.colno
    )
    return _Unreadable(0, problem)


def _ends_in_comma(before: str, rest: str) -> bool:
    # Up to Python 3.12 the place is the bracket, from 3.13 on the comma.
    return (before.endswith(",") and rest.startswith(("}", "]"))) or re.match(r",\s*[}\]]", rest) is not None


def _toml(text: str, name: str) -> Any:
    if _is_yaml(text, name):
        raise _Unreadable(0, say("is YAML, which is not read"), say("write JSON or TOML; authmail init CONNECTOR shows both"))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words = str(error)
    raise _toml_slip(text, words)


def _toml_slip(text: str, words: str) -> _Unreadable:
    """Return what stands at the place of an error of TOML, in words."""
    lines = text.splitlines() or [""]
    message, number, column = _toml_place(words, lines)
    line = lines[number - 1]
    slips: list[tuple[bool, Text, str]] = [
        (any(quote in line for quote in _CURLY), say("curly quotes, as word processors write them"), _WRITE_STRAIGHT),
        ("Cannot overwrite" in message or "twice" in message or "Cannot declare" in message,
         say("a key or table that is there already"), say("keep one of them")),
        ("escape" in message or "Unescaped" in message or "hex value" in message,
         say("a backslash, which TOML reads together with what follows it"), _LITERAL),
        (_is_open_before(lines[: number - 1], line[: column - 1]), say("a table in braces that goes on in the next line"),
         say("write it in one line, or as a table of its own: [name]")),
        (line.lstrip().startswith(("//", "/*")), say("a comment that is none in TOML"), say("comments begin with #")),
        (re.match(r"\s*[\w.-]+\s*:", line) is not None, say("a colon after a key"), say("write key = value")),
        (re.match(r"\s*[\w.-]+\s*=\s*[^\s\"'\[{0-9tf+-]", line) is not None, say("a text without quotes"), say('write key = "value"')),
    ]  # fmt: skip
    for fits, what, hint in slips:
        if fits:
            return _Unreadable(number, what, hint)
    return _Unreadable(0, say("cannot be read as TOML: {error}", error=words))


def _toml_place(words: str, lines: list[str]) -> tuple[str, int, int]:
    """Return what an error of TOML says, its line and its column; without these, where the last line begins."""
    found = _TOML_PLACE.fullmatch(words)
    if found is None or found[2] is None:
        return found[1] if found else words, len(lines), 1
    return found[1], min(int(found[2]), len(lines)), int(found[3])


def _is_open_before(lines: list[str], start: str) -> bool:
    """Whether a brace is still open where a line ends: an inline table over several lines, which TOML does not have."""
    for line in [*lines[-2:], start] if not start.strip() else [start]:
        bare = re.sub(r"\"[^\"]*\"|'[^']*'|#.*", "", line)
        if bare.count("{") > bare.count("}"):
            return True
    return False
