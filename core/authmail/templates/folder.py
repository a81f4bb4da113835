"""Templates as files: ``fr/SignIn.html`` with its subject in ``<title>``, optionally ``fr/SignIn.txt``."""

import re
from html import unescape
from importlib.resources.abc import Traversable
from pathlib import Path

from authmail.errors import ConfigError, Problem
from authmail.templates.template import Template
from authmail.words.near import nearest
from authmail.words.text import NOTHING, Text, say

# Without its end it is the rest of the file, as to a browser: so nobody looks for that end twice.
_TITLE = re.compile(r"<title[^<>]*+>(.*?)(</title\s*+>|\Z)", re.IGNORECASE | re.DOTALL)
_LARGEST_FILE = 1024 * 1024


def templates_in(folder: Traversable | Path | str) -> tuple[Template, ...]:
    """Read a folder of templates.

    ``<language>/<UsageType>.html`` is an HTML template, its subject in ``<title>``; ``<UsageType>.txt`` beside it is
    its text part. A ``.txt`` alone is a text template, its subject on the first line as ``Subject: …``. Files directly
    in the folder serve every language.

    Args:
        folder: a path, or a folder of package data.

    Returns:
        The templates, sorted by language and type.

    Raises:
        ConfigError: every file that cannot be used, and why.
    """
    problems: list[Problem] = []
    templates: list[Template] = []
    for locale, source in _sources(Path(folder) if isinstance(folder, str) else folder):
        files = _template_files(source)
        for usage_type in sorted({name.rpartition(".")[0] for name in files}):
            where = f"{locale}/{usage_type}" if locale else usage_type
            try:
                templates.append(_template(usage_type, locale, files))
            except (OSError, ValueError) as error:
                problems.append(Problem(where, str(error)))
    if problems:
        raise ConfigError(problems)
    if not templates:
        raise ConfigError([Problem("templates", "the folder holds no template", "add files such as en/SignIn.html")])
    return tuple(templates)


def _sources(folder: Traversable) -> list[tuple[str | None, Traversable]]:
    """Return the folder itself and its languages' folders, each with its language."""
    try:
        children = sorted(folder.iterdir(), key=lambda child: child.name)
    except (OSError, ValueError):
        raise ConfigError([Problem("templates", "is not a folder that can be read", _looked_at(folder))]) from None
    return [(None, folder), *((child.name, child) for child in children if child.is_dir() and child.name[0] not in "._")]


def _looked_at(folder: Traversable) -> Text:
    """Return where was looked, and a folder beside it that was most likely meant."""
    if not isinstance(folder, Path):
        return NOTHING
    try:
        path = folder.absolute()
        beside = [child.name for child in path.parent.iterdir() if child.is_dir()] if path.parent.is_dir() else []
    except (OSError, ValueError):
        return NOTHING
    if near := nearest(folder.name, beside):
        return say("looked at {path}; did you mean {near}?", path=str(path), near=near)
    return say("looked at {path}", path=str(path))


def _template_files(source: Traversable) -> dict[str, Traversable]:
    return {child.name: child for child in source.iterdir() if child.is_file() and child.name.endswith((".html", ".txt"))}


def _template(usage_type: str, locale: str | None, files: dict[str, Traversable]) -> Template:
    html = _read(files.get(f"{usage_type}.html"))
    text = _read(files.get(f"{usage_type}.txt"))
    if html is not None:
        title = _TITLE.search(html)
        if title is None or not title[1].strip() or not title[2]:
            raise ValueError("the HTML has no <title>, which is the subject")
        return Template(usage_type, unescape(" ".join(title[1].split())), html, text=text, locale=locale)
    first, _, rest = (text or "").partition("\n")
    if not first.lower().startswith("subject:"):
        raise ValueError("a text template begins with the line 'Subject: …'")
    return Template(usage_type, first[len("subject:") :].strip(), rest.lstrip("\n"), "text/plain", locale=locale)


def _read(file: Traversable | None) -> str | None:
    if file is None:
        return None
    with file.open("rb") as stream:
        content = stream.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError("the file is larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8") from None
