import random
import re

import html5lib
import pytest

from authmail.templates.plaintext import html_to_text

MAIL = """<!doctype html>
<html><head><title>Not shown</title><style>p > b { color: red }</style><script>if (a < b) alert("<p>")</script></head>
<body style="margin:0">
<div style="display: none !important; max-height:0; overflow:hidden">Preheader &zwnj;&nbsp;&#847; <b>padding</b><br></div>
<!-- a comment --><!--[if mso]><p>Outlook only</p><![endif]-->
<table role="presentation" width="100%"><tr><td width="20"></td><td>
  <table role="presentation">
    <tr><td style="font-size:0px"><a href="https://example.com/"><img src="l.png" alt="Acme" style="display:block"></a></td></tr>
    <tr><td><h1>Sign  in
to Acme</h1></td></tr>
    <tr><td><p>Hello {{ user.name }},</p><p>your code is <b>{{code}}</b>.<br>It lasts ten minutes.</td></tr>
    <tr><td>
      <!--[if !mso]><!--><table><tr><td><a href="{{link}}" style="padding:8px"><span>Sign&nbsp;in</span></a></td></tr></table><!--<![endif]-->
    </td></tr>
    <tr><td>Or open <a href="{{link}}">{{ link }}</a>.</td></tr>
  </table>
</td><td width="20">&nbsp;</td></tr></table>
<hr>
<ul><li>No code asked? Ignore this.</li><li>Help: <a href="mailto:help@example.com">help@example.com</a></li>
<li><a href="https://example.com/terms">Terms</a>, <a href="https://example.com/privacy">Privacy</a></li></ul>
<p>&copy; Acme &amp; Sons&nbsp;Ltd</p>
</body></html>"""

TEXT = """Acme (https://example.com/)

Sign in to Acme

Hello {{ user.name }},

your code is {{code}}.
It lasts ten minutes.

Sign in ({{link}})

Or open {{ link }}.

----------------------------------------

- No code asked? Ignore this.
- Help: help@example.com
- Terms (https://example.com/terms), Privacy (https://example.com/privacy)

© Acme & Sons Ltd"""


def test_a_whole_mail_reads_well():
    """Layout tables, hidden preheader, button, code and footer become what a person would type."""
    assert html_to_text(MAIL) == TEXT


def test_windows_line_ends_change_nothing():
    """The text has its own line ends, whatever the template has."""
    assert html_to_text(MAIL.replace("\n", "\r\n")) == html_to_text(MAIL.replace("\n", "\r")) == TEXT


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://x.y/z">Join</a>', "Join (https://x.y/z)"),
        ("<a href='{{link}}'>Join <b>{{organization.name}}</b></a>!", "Join {{organization.name}} ({{link}})!"),
        ('<a href="{{ link }}&amp;lang=fr">Join</a>', "Join ({{ link }}&lang=fr)"),
        ('<a href="\n https://x.y/\n{{\nlink }} ">Join</a>', "Join (https://x.y/{{\nlink }})"),
        ('<a title="a<b > c" href="{{link}}">Join</a>', "Join ({{link}})"),
        ('<a href="https://a.b" href="https://c.d">Join</a>', "Join (https://a.b)"),
        ('Please <a href="https://x.y">join </a>now', "Please join (https://x.y) now"),
        ('<a href="https://x.y/z">https://x.y/z</a>', "https://x.y/z"),
        ('<a href="https://www.x.y/">x.y</a>', "x.y"),
        ('<a href="{{link}}">{{ link }}</a>', "{{ link }}"),
        ('<ul><li><a href="https://x.y">https://x.y</a></ul>', "- https://x.y"),
        ('<a href="https://x.y/A">https://x.y/a</a>', "https://x.y/a (https://x.y/A)"),
        ('<a href="https://x.y/z"></a>', "https://x.y/z"),
        ('see<a href="https://x.y/z"><img src="i.png"></a>now', "see https://x.y/z now"),
        ('<a href="https://x.y"><img src="l.png" alt="Logo"></a>', "Logo (https://x.y)"),
        ('<a href="#top">Top</a> <a href="javascript:x()">Run</a> <a href="">Empty</a> <a>None</a>', "Top Run Empty None"),
        ('<a href="mailto:a@b.c?subject=x">Write</a>', "Write (a@b.c)"),
        ('<a href="MAILTO:a@b.c">a@b.c</a>', "a@b.c"),
        ('<a href="mailto:?subject=x">Share</a>', "Share"),
        ('<a href="https://a.b">One<a href="https://c.d">Two</a>', "One (https://a.b) Two (https://c.d)"),
        ('<p><a href="https://a.b"><div>Join</div></a></p>next', "Join (https://a.b)\n\nnext"),
        ('<a href="https://a.b"><table><tr><td>Join</td></tr></table></a>next', "Join (https://a.b)\n\nnext"),
        ('<div><a href="https://a.b">Join</div>next', "Join (https://a.b)\nnext"),
        ('<tr><td><a href="https://a.b">Join</td><td>next</td></tr>', "Join (https://a.b)  next"),
        ('<a href="https://a.b"><b>Join</b> us', "Join us (https://a.b)"),
    ],
)
def test_links(html, text):
    """A link keeps its address, once, next to its text."""
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>c<div>d</div><div>e</div>", "a\n\nb\n\nc\nd\ne"),
        ("<p>a\n<p>b", "a\n\nb"),
        ("<h1>T</h1>x<blockquote>q</blockquote>y", "T\n\nx\n\nq\n\ny"),
        ("a<span style='display:block'>b</span>c", "a\nb\nc"),
        ("<div><div><p>a</p></div></div><section><p>b</p></section>", "a\n\nb"),
        ("a<br>b<br/>c</br>d<br><br>e<br><br><br>f", "a\nb\nc\nd\n\ne\n\nf"),
        ("<br><p>a<br></p><p>b</p><br>", "a\n\nb"),
        ("a<hr>b<hr/>c", f"a\n\n{'-' * 40}\n\nb\n\n{'-' * 40}\n\nc"),
        ("<span style='display:block'>a</span><img alt='b' style='display:block'>c", "a\nb\nc"),
        ("<b>a</b>b <i>c</i> <i> d</i>", "ab c d"),
        ("a \n\t b&nbsp;&nbsp;c&ensp;d", "a b c d"),
        ("<div>a </div> <div> b</div>", "a\nb"),
        ("<pre>\n  <b>a</b>  b \n\n\n c\r\n</pre>d  e", "  a  b\n\n c\n\nd e"),
    ],
)
def test_blocks_and_blanks(html, text):
    """Blocks stand apart by a line end or one empty line; blanks collapse, except in <pre>."""
    assert html_to_text(html) == text


@pytest.mark.parametrize("tag", ["p", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "table", "blockquote", "pre"])
def test_blocks_with_an_empty_line(tag):
    """Paragraphs and their like stand apart by an empty line, and end an open paragraph."""
    assert html_to_text(f"a<{tag}>b</{tag}>c") == "a\n\nb\n\nc"
    assert html_to_text(f"<p hidden>x<{tag}>b") == "b"


@pytest.mark.parametrize(
    "tag",
    [
        "html", "body", "div", "section", "article", "header", "footer", "main", "nav", "aside", "address", "center", "form", "fieldset",
        "legend", "figure", "figcaption", "details", "summary", "dt", "dd", "caption", "thead", "tbody", "tfoot",
    ],
)  # fmt: skip
def test_blocks_with_a_line_of_their_own(tag):
    """Other blocks begin and end a line, and end an open paragraph."""
    assert html_to_text(f"a<{tag}>b</{tag}>c") == "a\nb\nc"
    assert html_to_text(f"<p hidden>x<{tag}>b") == "b"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<ul><li>a</li>\n<li>b<br>c</li></ul>d", "- a\n- b\n  c\n\nd"),
        ("<ol><li>a<li>b</ol><ol start=5><li>c</ol><ol start=x><li>d</ol>", "1. a\n2. b\n\n5. c\n\n1. d"),
        ("<ul><li>a<ul><li>b<li>c</ul><li>d</ul>", "- a\n  - b\n  - c\n- d"),
        ("<ol><li>a<ul><li>b</ul><li>c</ol>", "1. a\n  - b\n2. c"),
        ("<ul><li><p>a</p><li><p>b</p></ul>", "- a\n\n- b"),
        ("<ul><li></li><li>b</ul><li>c", "- b\n\n- c"),
        ("<ul><li></li></ul>a", "a"),
    ],
)
def test_lists(html, text):
    """Items have a dash or their number; lists within lists are indented."""
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>c", "A  B\n1  2\n\nc"),
        ("<table>\n<tr>\n<td>a</td>\n<td> b </td>\n</tr>\n</table>", "a  b"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a  b\nc  d"),
        ("<table><tr><td>Hello</td></tr><tr><td>your code</td></tr></table>", "Hello\n\nyour code"),
        ("<table><tr><td></td><td>Hello</td><td>&nbsp;</td></tr><tr><td>you</td></tr></table>", "Hello\n\nyou"),
        ("<table><tr><td>a<td>b <b>c</b><tr><td>d<tr><td>e</table>", "a  b c\nd\n\ne"),
        ("<table><tr><td><img alt=a></td><td>b</td></tr></table>", "a  b"),
        ("<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>c", "a  b\n\nc"),
        ("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb"),
    ],
)
def test_tables(html, text):
    """Cells share a line; a row with one cell of text reads as a paragraph."""
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("&lt;b&gt; &amp; &#169; &#xe9; &bogus; &", "<b> & © é &bogus; &"),
        ("R&D", "R&D"),
        ("a < b and 3 > 2 <3", "a < b and 3 > 2 <3"),
        ("a&shy;b&zwnj;&nbsp;&#847;&#8199;&#65279;&zwj;c\0d", "ab cd"),
        ("می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"),
        ("<img alt='A  cat'> <img> <img alt=''>", "A cat"),
        ("a<img alt='B'><img alt='C'>d<area alt=e>", "a B C d"),
        ("{{ code }}{{a.b}}{{\n code\n}}", "{{ code }}{{a.b}}{{\n code\n}}"),
        ("{{{{code}}}} {{ and }} {{", "{{{{code}}}} {{ and }} {{"),
        ("Just text\nwithout tags", "Just text without tags"),
        (" \n ", ""),
        ("", ""),
    ],
)
def test_characters(html, text):
    """Characters are what a reader sees; placeholders are as they were written."""
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "name", ["script", "style", "title", "textarea", "template", "noscript", "svg", "object", "iframe", "select"]
)
def test_elements_without_text(name):
    """Some elements hold nothing to read, whatever is in them."""
    assert html_to_text(f"a<{name}>x<b>x</b><br>x</{name.upper()}>b<{name}/>c") == "abc"
    assert html_to_text(f"a<{name} x='<'>x</{name}>b") == "ab"


@pytest.mark.parametrize(
    "attribute",
    [
        "hidden", 'hidden=""', 'style="display:none"', 'style="color:red; DISPLAY : none !important;"', 'style="visibility:hidden"',
        'style="mso-hide:all"', 'style="opacity:0"', 'style="opacity:0.0"', 'style="font-size:0"', 'style="font-size:0px"',
        'style="max-height:0px"', 'style="width:0;overflow:hidden"', 'style="overflow:hidden;height:0px"',
    ],
)  # fmt: skip
def test_hidden_elements(attribute):
    """What a mail client does not show is not in the text, and what follows is."""
    assert html_to_text(f"a<span {attribute}>x<span>x</span>x<i>x</i></span>b") == "ab"


@pytest.mark.parametrize(
    "attribute",
    [
        'aria-hidden="true"', 'style="opacity:0.9"', 'style="font-size:08px"', 'style="font-size:0.5em"', 'style="height:0"',
        'style="overflow:hidden"', 'style="overflow:hidden;max-width:0"', 'style="border-width:0;overflow:hidden"', 'class="hidden"',
    ],
)  # fmt: skip
def test_elements_that_only_look_hidden(attribute):
    """A style near to a hiding one hides nothing."""
    assert html_to_text(f"<span {attribute}>seen</span>") == "seen"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<td style='font-size:0px'>x<div style='font-size:13px'>seen</div>x<img alt='Logo'></td>b", "seen\nLogo b"),
        ("<div hidden>x<p style='font-size:13px'>x</p><img alt=x><a href=x>x</a><li>x</div>b", "b"),
        ("a<img hidden alt=x><br hidden>b", "ab"),
        ("a<span style='display:none'>x<br><hr><img alt=x></span>b", "ab"),
        ("<p hidden>x<b>x<p>b", "b"),
        ("<p hidden>x<div>b</div>", "b"),
        ("<div><span hidden>x</div>b", "b"),
        ("<ul><li hidden>x<li>b</ul>", "- b"),
        ("<table><tr><td hidden>x<td>b</table>", "b"),
        ("<div hidden><div>x</div>x</div></div>b", "b"),
        ("a<div hidden>x</p>x</div>b<ul hidden><li>x</ul>c<pre hidden>x</pre>d", "abcd"),
        ("<a href=x>a<span hidden>x</a>b", "a (x)"),
    ],
)
def test_where_hiding_ends(html, text):
    """An element hides until it ends, if only by what comes after; text with a size of its own in one without is seen."""
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("tag", "following"),
    [
        ("li", "li"), ("dt", "dt"), ("dt", "dd"), ("dd", "dt"), ("dd", "dd"), ("td", "td"), ("td", "th"), ("th", "td"), ("th", "th"),
        ("td", "tr"), ("th", "tr"), ("tr", "tr"),
        *((tag, group) for tag in ("td", "th", "tr", "thead", "tbody", "tfoot") for group in ("thead", "tbody", "tfoot")),
    ],
)  # fmt: skip
def test_end_tags_that_may_be_left_out(tag, following):
    """What HTML lets end without an end tag ends with the next of its kind."""
    assert html_to_text(f"<{tag} hidden>x<{following}>b").removeprefix("- ") == "b"


@pytest.mark.parametrize(
    "tag", ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
def test_hidden_elements_without_content(tag):
    """An element that has no end tag hides nothing after it."""
    assert html_to_text(f"a<{tag} hidden>b") == "ab"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<!-- x > x -->b<!-->c<!-- x --!>d<!--->e", "abcde"),
        ("a<!--[if mso]><p>x</p><![endif]-->b", "ab"),
        ("<![if !mso]>a<![endif]><!--[if !mso]><!-->b<!--<![endif]--><!--[if !mso]>-->c<!--<![endif]-->", "abc"),
        ("a<?xml x ?>b<!doctype x>c", "abc"),
        ("<style><!-- x </style>a<script>'<!--'</script>b", "ab"),
        ("a<!-- b", "a b"),
    ],
)
def test_comments_and_declarations(html, text):
    """Markup that no one sees goes; a comment without an end takes nothing with it."""
    assert html_to_text(html) == text


BROKEN = [
    "<p>one<div>two</p>three", "</p></div></ul>one", "<li>one<td>two", "<b><i>one</b>two</i>", "one<p", "<table><tr>one<td>two", "<p/>one<br/ >two",
    "<ul></ol></ul></ul>one", "<a href=x>one<p>two</a>", "<p>one</p", "&#0;&#xd800;&#x110000;one", "<x-y>one</x-y><:p>two", "<h1>one<h2>two",
    "<a href='{{link}}>one</a><p class='x'>two", 'one<a href="{{link}}>two', "one<3>two", "</>one</ x>two", "<p>one<<b>two", "<!one>two", "one<![if two",
    "one<?two", "<!<!--one-->two", "<p style hidden2><a href>one</a><img alt><ol start><li>two", "<td>one</tr>two</table>three", "<svg/>one", "<html><head>one<body>two", "\0<\0p>one", "one&two&", "<div one<div>two",
]  # fmt: skip


@pytest.mark.parametrize("html", BROKEN)
def test_broken_html_keeps_its_words(html):
    """What a browser would show of broken HTML is in the text."""
    seen = words_seen(html)
    assert seen
    assert seen <= set(re.findall("one|two|three", html_to_text(html)))


def test_scrambled_html_keeps_its_words():
    """Tags in any order, closed or not, lose no word that a browser shows, and the text keeps its form."""
    chance = random.Random(1)  # the same each time
    tags = "p div h1 ul ol li table tr td th tbody a b span pre br hr dt dd blockquote center body".split()  # noqa: SIM905 (reads better)
    parts = (
        [f"<{tag}>" for tag in tags]
        + [f"</{tag}>" for tag in tags]
        + ["one", "two", "three", " ", "\n", "&", "< ", "{{code}}"] * 5
    )
    for _ in range(300):
        html = "".join(chance.choices(parts, k=20))
        text = html_to_text(html)
        assert words_seen(html) <= set(re.findall("one|two|three", text)), html
        assert text.count("{{code}}") == html.count("{{code}}"), html
        assert not re.search(r"\s$|[ \t]\n|\n{3}|\A\n", text), html


def words_seen(html):
    """Which of the words a browser shows."""
    nodes = html5lib.parse(html, namespaceHTMLElements=False).iter()
    texts = ((node.text if isinstance(node.tag, str) else "", node.tail) for node in nodes)  # a comment's tag is a function
    return {word for pair in texts for text in pair for word in re.findall("one|two|three", text or "")}


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000, "<" * 200_000, "<!--" * 50_000, "<!--" * 50_000 + "-->", "<a href=x>" * 20_000, "{{" * 100_000, "<ul><li>x" * 20_000,
        "<b x='" * 40_001 + ">", '<a "' * 50_001, "&" * 100_000, "&#" + "9" * 100_000, "<![if " * 30_000, "<![if x>" * 25_000, "<!x", "<![CDATA[",
        "<![x[", "<?php", "\x00<\x00p>", "<p hidden>" * 20_000, "</a>" * 50_000, "<!-->x-->", "<table>" * 30_000, "</" * 100_000, "<?" * 100_000,
        "<style>" * 28_000, "<style>" + "</style" * 28_000, "<pre>" + " <b>" * 40_000, "<li><ul>" + "<div>" * 20_000 + "<li></li>" * 10_000,
        "<b><div>" + "<i>" * 25_000 + "</b>" * 25_000, f"<p style='opacity:{'0' * 190_000}!'>", "\u200c" * 200_000, "\ud800<b>\udfff",
    ],
    ids=lambda html: f"{html[:12].encode('ascii', 'backslashreplace').decode()} {len(html)}",
)  # fmt: skip
def test_hostile_html_never_raises(html):
    """Endless nesting, open quotes and lone brackets give some text, no longer than a few times the HTML."""
    for hostile in (html, f"<p>first</p>{html}"):
        text = html_to_text(hostile)
        assert len(text) <= 3 * len(hostile)
    assert text.startswith("first")


def test_text_around_hostile_html_stays():
    """What is well formed reads well, however long the nonsense next to it."""
    assert html_to_text("<div>" * 50_000 + "<a href='{{link}}'>Join</a>" + "</div>" * 50_000 + "now") == "Join ({{link}})\nnow"
    assert html_to_text("<p>Code</p>" + "<span hidden>x" * 20_000) == "Code"
