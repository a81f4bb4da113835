import html5lib
import pytest

from authmail.plaintext import html_to_text

MAIL = """<!doctype html>
<html><head><title>Not shown</title><style>p { color: red }</style><script>alert(1)</script></head>
<body>
<div style="display: none; max-height:0; overflow:hidden">Preheader &zwnj;&nbsp;&#847; <b>padding</b></div>
<!-- a comment --><!--[if mso]><p>Outlook only</p><![endif]-->
<table role="presentation"><tr><td><h1>Sign  in
to Acme</h1></td></tr>
<tr><td><p>Hello {{ user.name }},</p><p>your code is <b>{{code}}</b>.<br>Or use this
<a href="{{link}}"><span>magic link</span></a>.</p></td></tr></table>
<hr>
<ul><li>No code asked? Ignore this.</li><li>Help: <a href="mailto:help@example.com">help@example.com</a></li></ul>
<p>&copy; Acme &amp; Sons&nbsp;Ltd, <a href="https://example.com/">example.com</a></p>
</body></html>"""

TEXT = """Sign in to Acme

Hello {{ user.name }},

your code is {{code}}.
Or use this magic link ({{link}}).

----------------------------------------

- No code asked? Ignore this.
- Help: help@example.com

© Acme & Sons Ltd, example.com"""


def test_a_whole_mail_reads_well():
    """Layout table, hidden preheader, link, list and footer become what a person would type."""
    assert html_to_text(MAIL) == TEXT


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://x.y/z">Join</a>', "Join (https://x.y/z)"),
        ('<a href="https://x.y/z">https://x.y/z</a>', "https://x.y/z"),
        ('<a href="https://www.x.y/">x.y</a>', "x.y"),
        ('<a href="https://x.y/z"></a>', "https://x.y/z"),
        ('<a href="https://x.y"><img src="l.png" alt="Logo"></a>', "Logo (https://x.y)"),
        ('<a href="#top">Top</a> <a href="javascript:x()">Run</a> <a>None</a>', "Top Run None"),
        ('<a href="mailto:a@b.c?subject=x">Write</a>', "Write (a@b.c)"),
        ("<a href='{{link}}'>Join <b>{{organization.name}}</b></a>!", "Join {{organization.name}} ({{link}})!"),
        ('<a href="https://a.b">One<a href="https://c.d">Two</a>', "One (https://a.b) Two (https://c.d)"),
        ("<p>a</p><p>b</p>c<div>d</div><div>e</div>", "a\n\nb\n\nc\nd\ne"),
        ("a<br>b<br/>c<br><br>d", "a\nb\nc\n\nd"),
        ("<h1>T</h1>x<blockquote>q</blockquote>y", "T\n\nx\n\nq\n\ny"),
        ("<ol><li>a<li>b</ol><ol start=5><li>c</ol>", "1. a\n2. b\n\n5. c"),
        ("<ul><li>a<ul><li>b<li>c</ul><li>d</ul>", "- a\n  - b\n  - c\n- d"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>", "A  B\n1  2"),
        ("<pre>a  b\n  c</pre>", "a  b\n  c"),
        ("a \n\t b&nbsp;&nbsp;c", "a b c"),
        ("&lt;b&gt; &amp; &#169; &#xe9; &bogus; &", "<b> & © é &bogus; &"),
        ("<img alt='A cat'> <img>", "A cat"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<svg><text>x</text></svg><noscript>n</noscript>y", "y"),
        ("<p hidden>x</p><p style='font-size:0px'>x</p><p style='opacity:0'>x</p><p style='mso-hide:all'>x</p>y", "y"),
        ("<p style='opacity:0.9;font-size:08px'>seen</p><p aria-hidden='true'>seen</p>", "seen\n\nseen"),
        ("<div style='width:0;height:0;overflow:hidden'>x</div>y", "y"),
        ("<span style='display:none'>a<span>b</span>c</span>d", "d"),
        ("<![if !mso]>shown<![endif]>", "shown"),
        ("{{ code }}{{a.b}}{{\ncode\n}}", "{{ code }}{{a.b}}{{\ncode\n}}"),
        ("Just text\nwithout tags", "Just text without tags"),
        ("", ""),
    ],
)
def test_elements(html, text):
    """One element, one rule."""
    assert html_to_text(html) == text


BROKEN = [
    "<p>one<div>two</p>three", "</p></div></ul>one", "<li>one<td>two", "<b><i>one</b>two</i>", "one<p", "<table><tr>one<td>two", "<p/>one<br/ >two",
    "<ul></ol></ul></ul>one", "<a href=x>one<p>two</a>", "<p>one</p", "&#0;&#xd800;&#x110000;one", "<x-y>one</x-y><:p>two", "<h1>one<h2>two",
]  # fmt: skip


@pytest.mark.parametrize("html", BROKEN)
def test_broken_html_keeps_its_words(html):
    """What a browser would show of broken HTML is in the text."""
    seen = "".join(html5lib.parse(html, namespaceHTMLElements=False).itertext())
    text = html_to_text(html)
    for word in ("one", "two", "three"):
        assert (word in seen) == (word in text)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000, "<" * 200_000, "<!--" * 50_000 + "x", "<a href=x>" * 20_000, "{{" * 100_000, "<ul><li>" * 20_000, "<b x='" * 40_000 + ">",
        "&" * 100_000, "<![if " * 30_000, "<!x", "<![CDATA[", "<?php", "\x00<\x00p>", "<p hidden>" * 1000, "</a>" * 50_000, "<!-->x-->", "<table>" * 5000,
    ],
)  # fmt: skip
def test_hostile_html_never_raises(html):
    """Endless nesting, open quotes and lone brackets give some text, in one pass."""
    assert isinstance(html_to_text(html), str)
