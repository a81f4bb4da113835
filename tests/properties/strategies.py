"""What the properties are tried on: values of every JSON kind, templates, addresses, languages, HTML, damaged configs."""

import json

from hypothesis import strategies as st

from authmail import Mailbox, Message, Template, UsageType

# --- JSON: what a form, a file or a request can hold, and Python's json reads.

#: Half of a surrogate pair can be spelt in JSON, so a text may hold one.
TEXT = st.text(max_size=12) | st.text(st.characters(categories=["Cs", "Cc", "Zs", "So", "Lu"]), max_size=4)
#: Text that can leave the process.
UNICODE = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("~*+%&= /?#'\"!():;,-_.\0\r\nü你😀", max_size=12)
NUMBERS = (
    st.integers(-3, 70_000)
    | st.integers()
    | st.floats()
    | st.sampled_from([0.1, 1.0, -0.0, 1e-6, 1e-7, 123456789e12, 1e21, 2.5e25, 2**53 + 1, 10**21, 10**400, -(10**400)])
)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT
JSON = st.recursive(
    LEAVES,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=6), children, max_size=3),
    max_leaves=8,
)

# --- Templates and their payloads.

BLANKS = st.text(" \t\n\r\x0b\x0c\x1c\x85\u00a0\u1680\u2003\u200b\u2028\u202f\u3000\ufeff", max_size=2)
SEGMENTS = st.sampled_from(["code", "link", "name", "a", "b", "Name", "_1", "0", "1", "01", "-1", "length", "constructor", ""])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map(".".join)
PLACEHOLDERS = st.builds("{{{{{}{}{}}}}}".format, BLANKS, PATHS, BLANKS)
NEARLY_PLACEHOLDERS = st.sampled_from(
    ["{", "}", "{{", "}}", "{{}}", "{{ }}", "{{é}}", "{{a-b}}", "{{a b}}", "{ {a}}", "{{{", "}}}"]
)
MARKUP = st.sampled_from(
    ["<p>", "</p>", '<a href="', "\" title='", "'>", ">", "</a>", "<", "<!-- ", " -->", "&lt;", "$&", "\r\n"]
)
TEMPLATE_TEXTS = st.lists(PLACEHOLDERS | NEARLY_PLACEHOLDERS | MARKUP | TEXT, max_size=6).map("".join)
TEMPLATES = st.builds(
    Template,
    usage_type=st.sampled_from(list(UsageType)).map(str) | TEXT.filter(str.isprintable),
    subject=TEMPLATE_TEXTS,
    content=TEMPLATE_TEXTS,
    content_type=st.sampled_from(["text/html", "text/plain"]),
    text=st.none() | TEMPLATE_TEXTS,
    locale=st.none() | TEXT.filter(str.isprintable),
    send_from=st.none() | TEMPLATE_TEXTS | st.just("{{name}} <{{a.b}}@example.com>"),
    reply_to=st.none() | TEMPLATE_TEXTS | st.just("{{name}} <{{a}}>"),
)

VALUES = st.recursive(
    LEAVES,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(SEGMENTS, children, max_size=3),
    max_leaves=6,
)
PAYLOADS = st.dictionaries(SEGMENTS, VALUES, max_size=4)
#: Payloads as :meth:`Message.from_dict` takes them.
SPOKEN_PAYLOADS = st.fixed_dictionaries({}, optional={"code": TEXT, "link": TEXT, "locale": TEXT, "name": JSON, "user": JSON})
MESSAGES = st.builds(Message, to=TEXT, type=TEXT, payload=SPOKEN_PAYLOADS, ip=st.none() | TEXT, idempotency_key=st.none() | TEXT)

# --- Addresses.

ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"
LOCAL_PARTS = (
    st.lists(st.text(ATEXT, min_size=1, max_size=6), min_size=1, max_size=3).map(".".join)
    | st.text("ü你é", min_size=1, max_size=3)
    | st.text("ab <>@,;:()[].", min_size=1, max_size=6).map('"{}"'.format)
)
DOMAINS = st.lists(st.text("abc019", min_size=1, max_size=6), min_size=2, max_size=3).map(".".join)
ADDRESSES = st.builds("{}@{}".format, LOCAL_PARTS, DOMAINS)
NAMES = (st.text(max_size=12) | st.text('ab .,;:"\\<>@()[]=?é你', max_size=12)).filter(
    # Controls are refused, halves of surrogate pairs too; "=?" is written apart, lest it be decoded.
    lambda name: "=?" not in name and not any(c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" for c in name)
)
MAILBOXES = st.builds(Mailbox, ADDRESSES, NAMES)
#: What might be taken for a mailbox.
NEARLY_MAILBOXES = TEXT | st.text('ab@."<>, \\()\r\n;:\ud800ü') | st.builds("{} <{}>".format, NAMES, ADDRESSES | TEXT)

# --- Languages.

TAGS = st.sampled_from(
    [
        "en",
        "en-US",
        "en-GB",
        "fr",
        "fr-CA",
        "zh-CN",
        "zh-TW",
        "zh-Hant",
        "zh-Hant-HK",
        "pt",
        "pt-BR",
        "de",
        "de-x-private",
        "no",
        "und",
    ]
)
NEARLY_TAGS = TAGS | st.sampled_from(["", "-", "x", "en-", "-en", "en--US", "é", "a-b-c-d", "fr-ca-x"]) | TEXT


@st.composite
def otherwise_spelt(draw, tag):
    """The same tag with other capitals and with underscores."""
    capitals = draw(st.lists(st.booleans(), min_size=len(tag), max_size=len(tag)))
    spelt = "".join(c.upper() if capital else c.lower() for c, capital in zip(tag, capitals, strict=True))
    return spelt.replace("-", draw(st.sampled_from("-_")))


# --- HTML, also broken.

HTML_PIECES = (
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<a href='x'>",
            "</a>",
            "<ul>",
            "<ol start=3>",
            "<li>",
            "</ul>",
            "<table>",
            "<tr>",
            "<td>",
            "</table>",
            "<br>",
            "<!--",
            "-->",
            "<b hidden>",
            "</b>",
            "&lt;",
            "&#0;",
            "&",
            "{{code}}",
            "<pre>",
            "</pre>",
            "<style>",
            "</style>",
            "<svg/>",
            "<",
            ">",
            "<div style='display:none'>",
            "</div>",
            "<span style=font-size:0>",
            "</span>",
            "<img alt='a b'>",
            "<hr>",
            '"',
            "\u200b",
            "\r\n",
        ]
    )
    | TEXT
)
HTML = st.lists(HTML_PIECES, max_size=12).map("".join)
WORDS = st.text("abcé你 ", min_size=1, max_size=8).filter(str.strip)
LINKS = st.text("abc019/?&=%#-_.", max_size=12).map("https://example.com/".__add__)

# --- Configs: a valid one, damaged anywhere.

CANARY = "canary-7f3a"
#: Stands in for a value that must not be repeated, in the shapes that parsers quote in their errors.
CANARIES = st.sampled_from(["{}", "https://[{}]/", "{}@@x", "{}\ud800@example.com", "https://{}\u2100/", '"{} <a@b.c>']).map(
    lambda shape: shape.format(CANARY)
)
REFERENCES = st.sampled_from([{"env": "HOME"}, {"file": "/etc/passwd"}, {"env": 1}, {"env": "A", "file": "B"}, {"file": None}])


def _places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


@st.composite
def damaged(draw, config):
    """A config with one to three faults at any place: something removed, replaced, wrapped, renamed or repeated."""
    config = {"": config}
    for _ in range(draw(st.integers(1, 3))):
        config = json.loads(json.dumps(config))
        *parents, last = draw(st.sampled_from([path for path in _places(config) if path]))
        inside = config
        for key in parents:
            inside = inside[key]
        was = inside[last]
        fault = draw(st.sampled_from(["remove", "replace", "wrap", "list", "rename", "repeat"]))
        if fault == "remove" and parents:
            del inside[last]
        elif fault == "wrap":
            inside[last] = {draw(st.sampled_from(["value", "env", "file", "apiKey", "password", *map(str, inside)])): was}
        elif fault == "list":
            inside[last] = [was, was]
        elif fault == "rename" and parents and isinstance(inside, dict):
            inside[f"{last}_"] = inside.pop(last)
        elif fault == "repeat" and isinstance(was, list):
            inside[last] = was * 2
        else:
            inside[last] = draw(JSON | CANARIES | REFERENCES)
    return config[""]


def as_json(value):
    """The text that would be stored or shown."""
    return json.dumps(value, ensure_ascii=False)
