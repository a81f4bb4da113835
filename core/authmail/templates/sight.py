"""Whether a reader sees the code or link of a mail: what an editor's program has done to a placeholder is found here."""

import re
from collections.abc import Iterator

from authmail.errors import Problem
from authmail.mail.message import UsageType
from authmail.mail.vital import REQUIRED
from authmail.templates.at_provider import ProviderTemplate
from authmail.templates.language import compiled, placeholders
from authmail.templates.plaintext import html_to_text
from authmail.templates.samples import sample_payload
from authmail.templates.template import Template
from authmail.words.text import Text, say

# What editors put between braces and name: blanks, entities, tags.
_BETWEEN = r"(?:\s|&[a-zA-Z0-9#]{1,8};|[\u00a0\u200b\u2060\ufeff]|</?[a-zA-Z][^<>{}]{0,100}>){0,8}"
_MANGLED = {
    name: re.compile(rf"(?:\{{|&#123;|&lbrace;){{1,3}}{_BETWEEN}{name}{_BETWEEN}(?:\}}|&#125;|&rbrace;){{1,3}}", re.IGNORECASE)
    for name in REQUIRED
}
_LONGEST_SHOWN = 60
_SEEN = "authmail0seen"


def unseen_in(template: Template, path: str = "") -> Iterator[Problem]:
    """Yield a warning for each part of a template in which a reader would not see the code or link of its type.

    Args:
        template: of one of authmail's usage types; of others, and of what is at the provider, nobody knows what they carry.
        path: where it is: a file, or ``templates[3]``.
    """
    if isinstance(template, ProviderTemplate) or template.usage_type not in [*UsageType]:
        return
    for name in REQUIRED:
        if name in sample_payload(template.usage_type):
            for part, text, seen in _parts(template, name):
                if not seen:
                    yield _warning(template, path, name, part, text)


def _parts(template: Template, name: str) -> Iterator[tuple[Text, str, bool]]:
    """Yield what a part is called, its text, and whether the placeholder can be seen in it."""
    if template.is_html:
        # A link may stand in an attribute, of a button; a code that does is not seen.
        seen = _has(template.content, name) if name == "link" else _is_read(template.content, name)
        yield say("HTML"), template.content, seen
    text = template.text if template.is_html else template.content
    if text is not None:
        yield say("text"), text, _has(text, name) or _has(template.subject, name)


def _has(text: str, name: str) -> bool:
    return any(piece.path == (name,) for piece in placeholders(text))


def _is_read(html: str, name: str) -> bool:
    """Whether a placeholder stands in what people read of an HTML, so not in its title or in an attribute."""
    # With a word in its place, since what is mangled may become a placeholder in the text, and nowhere else.
    pieces = (piece if isinstance(piece, str) else _SEEN if piece.path == (name,) else "" for piece in compiled(html))
    return _SEEN in html_to_text("".join(pieces))


def _warning(template: Template, path: str, name: str, part: Text, text: str) -> Problem:
    placeholder = f"{{{{{name}}}}}"
    told = {"part": part, "type": template.usage_type, "placeholder": placeholder}
    if template.locale:
        message = say("the {part} of {type} in {language} has no {placeholder}", language=template.locale, **told)
    else:
        message = say("the {part} of {type} has no {placeholder}", **told)
    mangled = _MANGLED[name].search(text)
    if mangled is None:
        return Problem(path, message, say("without it nobody can use the mail"))
    written = " ".join(mangled[0].split())[:_LONGEST_SHOWN]
    return Problem(path, message, say("it has {written}: write {placeholder}", written=written, placeholder=placeholder))
