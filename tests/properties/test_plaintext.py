"""HTML to text: anything is read, nothing that matters is lost, and twice the HTML is twice the work."""

import sys

from hypothesis import given
from hypothesis import strategies as st
from strategies import HTML, HTML_PIECES, LINKS, PLACEHOLDERS, WORDS

from authmail.templates.language import placeholders
from authmail.templates.plaintext import html_to_text

ELEMENTS = st.sampled_from(["p", "div", "b", "li", "td", "h1", "blockquote", "table", "ul", "span", "pre"])


@st.composite
def pages(draw, inner):
    """Something within up to four elements, with words before and after it."""
    html = draw(inner)
    for tag in draw(st.lists(ELEMENTS, max_size=4)):
        html = f"{draw(WORDS)}<{tag}>{html}</{tag}>{draw(WORDS)}"
    return html


def steps_of(call):
    """How many calls of functions it takes, Python's and C's."""
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        call()
    finally:
        sys.setprofile(None)
    return count


@given(st.text() | HTML)
def test_anything_is_read(html):
    """It never fails, gives no tag of ours back, and no lines with blanks at their ends or around the whole."""
    text = html_to_text(html)
    assert "<li>" not in text
    assert text == text.strip("\n")


@given(st.data(), LINKS, WORDS)
def test_links_are_kept(data, link, words):
    """A link's address is there once to be copied, with its words, wherever it stands."""
    escaped = link.replace("&", "&amp;")
    text = html_to_text(data.draw(pages(st.just(f'<a href="{escaped}">{words}</a>'))))
    assert text.count(link) >= 1
    assert " ".join(words.split()) in " ".join(text.split())


@given(st.data(), PLACEHOLDERS)
def test_placeholders_are_kept(data, placeholder):
    """In text and as a link's address, to be filled later; blanks within the braces may go."""
    names = {piece.name for piece in placeholders(placeholder)}
    for inner in (placeholder, f'<a href="{placeholder}">words</a>'):
        text = html_to_text(data.draw(pages(st.just(inner))))
        assert {piece.name for piece in placeholders(text)} >= names


@given(st.lists(HTML_PIECES, min_size=1, max_size=4).map("".join))
def test_twice_the_html_is_twice_the_work(piece):
    """Whatever is repeated, neither the work nor the text grows with the square."""
    small, large = piece * 60, piece * 240
    assert steps_of(lambda: html_to_text(large)) < 6 * steps_of(lambda: html_to_text(small)) + 500
    assert len(html_to_text(large)) < 5 * len(html_to_text(small)) + 100
    assert len(html_to_text(large)) < 45 * len(large) + 100
