"""Rendering against the reference rules, told a second time and differently; and what a parser makes of it."""

import json
import string
import unicodedata
from decimal import Decimal

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import HTML, PAYLOADS, PLACEHOLDERS, TEMPLATE_TEXTS, TEMPLATES, TEXT, VALUES

from authmail import Email, Mailbox, Message, Template, TemplateError
from authmail.templates import render
from authmail.templates.defang import HAIR
from authmail.templates.rendering import render_email
from authmail.templates.strangers import Strangers

NAME = set(string.ascii_letters + string.digits + "_.")
# ECMA-262: WhiteSpace and LineTerminator.
BLANK = {"\t", "\v", "\f", "\ufeff", "\n", "\r", "\u2028", "\u2029"} | {
    chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Zs"
}
TO = Mailbox("zoe@example.com")


# --- The reference rules, read by hand from left to right.


def pieces_of(template):
    """The template as pairs: a literal and None, or a placeholder as written and its dotted name."""
    literal = ""
    while template:
        name = rest = None
        if template[:2] == "{{":
            inner = skipped(template[2:], BLANK)
            rest = skipped(inner, NAME)
            name = inner[: len(inner) - len(rest)]
            rest = skipped(rest, BLANK)
        if name and rest[:2] == "}}":
            yield mended(literal), None
            yield template[: len(template) - len(rest) + 2], name
            literal, template = "", rest[2:]
        else:
            literal, template = literal + template[0], template[1:]
    yield mended(literal), None


def skipped(text, characters):
    while text and text[0] in characters:
        text = text[1:]
    return text


def looked_up(payload, name):
    value = payload
    for segment in name.split("."):
        if isinstance(value, list):
            value = dict(zip(map(str, range(len(value))), value, strict=True))
        value = value.get(segment) if isinstance(value, dict) else None
    return value


def javascript(value):
    """String(value), as ECMA-262 has it."""
    match value:
        case None:
            return ""
        case bool():
            return json.dumps(value)
        case str():
            return mended(value)
        case list():
            return ",".join(map(javascript, value))
        case dict():
            return "[object Object]"
    try:
        number = float(value)
    except OverflowError:
        number = float("inf") if value > 0 else float("-inf")
    if number - number != 0:
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[str(number)]
    _, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    size, sign = len(digits), "-" if number < 0 else ""
    if 0 < size + exponent <= 21 or -6 < size + exponent <= 0 or not number:
        return sign + format(abs(Decimal(repr(number)).normalize()), "f").removesuffix(".0")
    digits = "".join(map(str, digits))
    return f"{sign}{digits[0]}{'.' if size > 1 else ''}{digits[1:]}e{size + exponent - 1:+}"


def mended(text):
    """Surrogate pairs joined, halves of them replaced."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in json.loads(json.dumps(text)))


def by_the_reference(template, payload):
    for written, name in pieces_of(template):
        root = name and name.split(".")[0]
        yield written if not root or root not in payload else javascript(looked_up(payload, name))


def by_our_rules(template, payload, change):
    """As a mail has it: what cannot be filled is empty, and every value is made safe for where it stands."""
    for written, name in pieces_of(template):
        yield written if name is None else change(javascript(looked_up(payload, name)))


def escaped(text):
    return text.translate({ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#x27;"})


def on_one_line(text):
    """Every run of controls is one blank."""
    line = ""
    for c in text:
        control = unicodedata.category(c) in ("Cc", "Zl", "Zp")
        line += c if not control else "" if line.endswith("\0") else "\0"
    return line.replace("\0", " ")


# --- The properties.


@given(TEMPLATE_TEXTS, PAYLOADS)
def test_rendering_follows_the_reference_rules(template, payload):
    """Any template with any payload gives what the rules give, and escaped what the rules give, escaped."""
    assert render(template, payload) == "".join(by_the_reference(template, payload))


@given(VALUES)
def test_values_are_printed_as_javascript_prints_them(value):
    """Every kind of JSON value, alone and in a list."""
    assert render("{{v}}", {"v": value}) == javascript(value)
    assert render("{{v.1}}|{{v}}", {"v": [None, value]}) == f"{javascript(value)}|,{javascript(value)}"


@given(st.lists(TEMPLATE_TEXTS, max_size=3), PAYLOADS)
def test_what_is_rendered_is_not_rendered_again(templates, payload):
    """Placeholders in values stay text."""
    values = {f"v{index}": template for index, template in enumerate(templates)}
    text = "".join(f"{{{{{name}}}}}" for name in values)
    assert render(text, {**payload, **values}) == "".join(map(mended, templates))


@given(TEMPLATE_TEXTS, TEMPLATE_TEXTS, st.none() | TEMPLATE_TEXTS, PAYLOADS)
def test_a_mail_follows_our_differences_from_the_reference(subject, content, text, payload):
    """Escaped in HTML, on one line elsewhere, empty where nothing is known; and no mail without its code or link."""
    template = Template("X", subject, content, text=text)
    asked = {name for part in (subject, content, text or "") for _, name in pieces_of(part) if name}
    vital = [name for name in asked if name.split(".")[0] in ("code", "link")]
    try:
        email = render_email(template, Message("a@b.c", "X", payload), TO, Strangers(trusted=asked))
    except TemplateError:
        assert any(not javascript(looked_up(payload, name)).strip() for name in vital)
        return
    assert email.subject == on_one_line("".join(by_our_rules(subject, payload, on_one_line)))
    assert email.html == "".join(by_our_rules(content, payload, escaped))
    assert text is None or email.text == "".join(by_our_rules(text, payload, on_one_line))
    assert all(javascript(looked_up(payload, name)).strip() for name in vital)


@given(TEMPLATES, PAYLOADS)
def test_a_template_and_a_payload_give_a_mail_or_a_template_error(template, payload):
    """Nothing else; and the mail has a text, one line of subject, and a sender or none."""
    try:
        email = render_email(template, Message("a@b.c", "X", payload), TO)
    except TemplateError:
        return
    assert isinstance(email, Email)
    assert email.from_address is None or isinstance(email.from_address, Mailbox)
    assert email.text is not None
    assert len(email.subject.splitlines()) <= 1


PAGE = """<title>{{v}}</title><p title="{{v}}" class='{{v}}'>{{v}}<br>{{user.name}}<img src="{{user.name}}" alt='{{user.name}}'></p>"""


def structure(page):
    """Every element with the names of its attributes; no comment may appear."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    return [(element.tag, sorted(element.attrib)) for element in tree.iter()]


@given(TEXT | HTML | st.text("<>&\"'`{}ab \n/=-!\0"))
def test_a_value_never_creates_an_element_or_an_attribute(value):
    """A browser's parser finds the template's own elements and attributes, the value within them and nothing else."""
    template = Template("X", "s", PAGE)
    pages = [
        render_email(template, Message("a@b.c", "X", {"v": each, "user": {"name": each}}), TO, rule).html
        for rule in (Strangers(), Strangers(trusted=["v", "user"]))
        for each in ("harmless", value)
    ]
    pages.append(render(PAGE, {"v": value, "user": {"name": value}}, html=True))
    assert all(structure(page) == structure(pages[0]) for page in pages)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")))
def test_a_parser_reads_the_very_value(value):
    """Escaping takes nothing away: attribute and text hold the value."""
    paragraph = html5lib.parse(render('<p title="{{v}}">{{v}}</p>', {"v": value}, html=True), namespaceHTMLElements=False)[1][0]
    assert (paragraph.get("title"), paragraph.text or "") == (value, value)


@given(st.lists(PLACEHOLDERS | TEXT, max_size=4).map("".join), PAYLOADS)
def test_strangers_cannot_write_links(template, payload):
    """What strangers named is short, has no unseen characters and no address that a mail program would make a link."""
    name = f"{template} https://evil.example www.evil.example \u202e"
    email = render_email(
        Template("X", "{{user.name}}", "<p>{{user.name}}", text="{{user.name}}"),
        Message("a@b.c", "X", {"user": {"name": name}}),
        TO,
    )
    for text in (email.subject, email.text):
        assert "://" not in text
        assert "www.e" not in text
        assert "\u202e" not in text
        assert len(text.replace(HAIR, "")) <= 128


@pytest.mark.parametrize("blank", ["\u00a0", "\ufeff", "\u2029", "\x85", "\x1c", "\u200b"])
def test_the_two_tellings_agree_on_odd_blanks(blank):
    """JavaScript's white space is not Python's."""
    template = f"{{{{{blank}a{blank}}}}}"
    assert render(template, {"a": "x"}) == "".join(by_the_reference(template, {"a": "x"}))
