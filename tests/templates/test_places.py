import pytest
from cpu_time import cpu_seconds

from authmail.templates.places import find_places


def places(text, *, is_html=True):
    return [spot.place.name for spot in find_places(text, is_html=is_html)]


@pytest.mark.parametrize(
    ("html", "place"),
    [
        ("<p>{{x}}</p>", "TEXT"),
        ("1 < 2 {{x}}", "TEXT"),
        ("a > b {{x}}", "TEXT"),
        ("<title>{{x}}</title>", "TEXT"),
        ("<!-- {{x}} -->", "TEXT"),
        ('<!--[if mso]><a href="{{x}}"><![endif]-->', "URL"),
        ('<p title="{{x}}">', "WORDS"),
        ("<img ALT={{x}}>", "WORDS"),
        ('<p class="a {{x}}">', "VALUE"),
        ('<p title="a>b" id="{{x}}">', "VALUE"),
        ('<a href="{{x}}">', "URL"),
        ("<a href = '{{x}}'>", "URL"),
        ("<a\nhref={{x}}>", "URL"),
        ('<a href=" {{x}}">', "URL"),
        ('<v:rect xlink:href="{{x}}">', "URL"),
        ('<a href="https://{{x}}">', "HOST"),
        ('<a href="https://a.b{{x}}">', "HOST"),
        ('<a href="HTTPS://a.b/{{x}}">', "REST"),
        ('<a href="/a/{{x}}">', "REST"),
        ('<a href="javascript:{{x}}">', "TAG"),
        ('<p style="color:{{x}}">', "STYLE"),
        ('<p onclick="{{x}}">', "STYLE"),
        ("<style>p{color:{{x}}}</style>", "STYLE"),
        ("<SCRIPT>{{x}}</script>", "STYLE"),
        ("<style>a</style>{{x}}", "TEXT"),
        ("<{{x}}>", "TAG"),
        ("</{{x}}>", "TAG"),
        ("<p {{x}}>", "TAG"),
        ("<p a=b {{x}}>", "TAG"),
        ("<h{{x}}>", "TAG"),
        ("<a href=>{{x}}", "TEXT"),
        ("see https://a.b/?q={{x}}", "REST"),
        ("<p>https://{{x}}", "HOST"),
    ],
)
def test_knows_where_a_placeholder_stands(html, place):
    """As a browser would read the template."""
    assert places(html) == [place]


def test_follows_several():
    """What was filled in before counts as something; a link of the host's own begins an address."""
    assert places('<a href="{{link}}?a={{x}}" title={{t}}>{{y}}</a>{{reset_url}}/{{z}}') == [
        "URL",
        "REST",
        "WORDS",
        "TEXT",
        "TEXT",
        "REST",
    ]
    assert places('<a href="{{x}}{{y}}">') == ["URL", "REST"]


def test_texts_have_words_and_addresses():
    """In subject and text nothing is a tag."""
    assert places('<a href="{{x}}"> https://a.b/{{y}} https://{{z}}.a', is_html=False) == ["TEXT", "REST", "HOST"]


def test_knows_what_could_be_read_as_one():
    """Values beside each other, but for words between them, and a word that follows at once."""
    joined = [
        (spot.piece.name, spot.is_joined)
        for spot in find_places("{{a}}{{b}} and {{c}} <b>-</b> {{d}} so {{e}}s {{f}}.", is_html=True)
    ]
    assert joined == [("a", True), ("b", True), ("c", True), ("d", True), ("e", True), ("f", False)]


@pytest.mark.parametrize("part", ["<", "<a ", "<a href=", "<!--", "<style></style>", "'", "a=", "{{a}}<", "{{a}} ", "x{{a}}"])
def test_reads_hostile_templates_in_reasonable_time(part):
    """Ten times as long takes about ten times as long; it would be a hundred times if it grew with the square."""
    short, long = (cpu_seconds(lambda text=part * times: list(find_places(text, is_html=True))) for times in (2_000, 20_000))
    assert long < 40 * short
