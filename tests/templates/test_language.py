import json
from decimal import Decimal

import html5lib
import pytest

from authmail.templates import render
from authmail.templates.language import compiled


def test_renders_as_logto_does(vectors):
    """Every captured case that a port should match gives the same text."""
    cases = [case for case in vectors("logto/template_rendering")["cases"] if case["parity"] == "must"]
    assert len(cases) > 50
    for case in cases:
        assert render(case["template"], json.loads(case["payload_json"])) == case["expected"], case["id"]


def test_prints_no_internals_of_python_or_javascript():
    """Names such as __class__ or constructor are ordinary keys."""
    text = "{{__class__}} {{o.__init__}} {{o.constructor}} {{l.length}} {{toString}}"
    assert render(text, {"o": {}, "l": [1]}) == "{{__class__}}    {{toString}}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-7, "-7"), (2**53 + 1, "9007199254740992"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"),
        (10**21, "1e+21"), (2**60, "1152921504606847000"), (10**400, "Infinity"), (-(10**400), "-Infinity"), (float("nan"), "NaN"),
        (1e-6, "0.000001"), (1.5e-10, "1.5e-10"), (1.7976931348623157e308, "1.7976931348623157e+308"), (-0.0, "0"),
        (Decimal("1.50"), "1.50"), ([1, [None, True]], "1,,true"), ("\ud800x", "\ufffdx"),
    ],
)  # fmt: skip
def test_prints_values_as_javascript_does(value, text):
    """Numbers, lists and lone surrogates as ECMAScript's String() prints them."""
    assert render("{{v}}", {"v": value}) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [("{{s.0}}|{{n.0}}|{{o.0}}", "||x"), ("{{.s}}", "{{.s}}"), ("{{l.0}}{{l.1}}{{l.00}}{{l.-1}}", "a{{l.-1}}"), ("{{s.}}", "")],
)
def test_only_objects_and_lists_have_members(template, text):
    """A text has no first character, a list no negative end; a name without a first part stays, whatever the payload has."""
    assert render(template, {"s": "abc", "n": 5, "o": {"0": "x"}, "l": ["a"], "": {"s": "y"}}) == text


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "</p></body>", "<!-- x", "&lt;b&gt;", "a & b",
    "`{{code}}`", "\x00<b>", "--><b>", "]]>", "&#60;b&#62;", "<style>*{display:none}</style>",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_a_value_in_html(value):
    """Whatever a value holds, a browser's parser finds it as text and as attribute value, and no element of its own."""
    page = render("<p title=\"{{v}}\" class='{{v}}'>{{v}}</p>", {"v": value}, html=True)
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    paragraph = tree.find("body/p")
    seen = value.replace("\x00", "\ufffd")
    assert [element.tag for element in tree.iter() if isinstance(element.tag, str)] == ["html", "head", "body", "p"]
    assert paragraph.get("title") == paragraph.get("class") == seen
    assert paragraph.text == value.replace("\x00", "")


def test_safe_markup_is_not_escaped_twice():
    """A value that says of itself that it is markup (the __html__ convention) goes in as it is."""

    class Markup(str):
        __slots__ = ()

        def __html__(self):
            return str(self)

    assert render("{{a}}{{b}}", {"a": Markup("<b>"), "b": "<b>"}, html=True) == "<b>&lt;b&gt;"


def test_compiles_into_pieces_without_empty_ones():
    """Nothing per mail for what is not there."""
    assert [piece if isinstance(piece, str) else piece.written for piece in compiled("{{a}}{{ b }}c{{d}}")] == [
        "{{a}}", "{{ b }}", "c", "{{d}}",
    ]  # fmt: skip


def test_compiles_hostile_templates_in_reasonable_time():
    """Long runs of braces and blanks are read once, not again and again."""
    for text in ("{{" * 50_000, "{{ " + " " * 100_000, "{{a" * 50_000, "{{a}" * 50_000):
        assert "".join(piece if isinstance(piece, str) else piece.written for piece in compiled(text)) == text
