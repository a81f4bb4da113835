"""Headers beyond the mail's own: what programs read stays as it is, what people read is encoded where it must be."""

import email.policy
import json
import os
import shutil
import subprocess
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authmail import ConfigError, Email, checks
from authmail_smtp.headers import further_header
from authmail_smtp.mail import compose

from .conftest import TEMPLATES

HERE = Path(__file__).parent
READERS = HERE / "node_modules"


def url(length, query="/unsubscribe?token="):
    return ("https://acme.example" + query + "0123456789abcdef" * 60)[:length]


JSON = {"unique_args": {"kind": "sign-in", "words": "one two  three " * 8}, "category": ["codes"] * 150}
#: A header, its text, and what must be read back.
STRUCTURED = [
    *(("List-Unsubscribe", f"<{url(length)}>") for length in (110, 300, 500, 700, 900)),
    ("List-Unsubscribe", f"<mailto:leave@acme.example?subject=leave>, <{url(600)}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("List-Id", "Sign-in codes of Acme <codes.acme.example>"),
    ("In-Reply-To", f"<{'a' * 120}@acme.example>"),
    ("References", " ".join(f"<{number}.{'a' * 40}@acme.example>" for number in range(60))),
    ("Feedback-ID", "campaign:customer:kind-of-mail-of-more-than-seventy-six-characters-altogether:acme"),
    ("Auto-Submitted", "auto-generated"),
    ("Precedence", "bulk"),
    ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
    ("X-SMTPAPI", json.dumps(JSON)),
    ("X-MC-Metadata", json.dumps({"id": "x" * 200, "of": "y" * 300})),
    ("X-Mailgun-Variables", json.dumps({"order": list(range(600))})),
    ("X-PM-Metadata-Kind", "sign-in"),
    ("X-SES-CONFIGURATION-SET", "c" * 90),
]  # fmt: skip
#: JSON that another text means the same as.
CHANGED = [
    ("X-SMTPAPI", json.dumps(JSON, separators=(",", ":"))),
    ("X-MSYS-API", json.dumps({"wer": "Zoë 太郎 🎉", "a,b:c": 'd"e\\f'}, ensure_ascii=False)),
    ("X-MC-Metadata", json.dumps({f"é,{number}": ":" for number in range(200)}, ensure_ascii=False, separators=(",", ":"))),
]


@pytest.fixture
def config(smtp, raw):
    def make(**change):
        return smtp.validate_config(raw | change, templates=TEMPLATES)

    return make


def composed(config, name, text):
    return compose(Email("zoe@example.com", "s", text="t", headers={name: text}), config(), unique="0" * 32).data


def parsed_elsewhere(mails):
    """What npm's mailparser and postal-mime read."""
    node = shutil.which("node")
    if not os.environ.get("CI") and (node is None or not (READERS / "postal-mime").exists()):
        pytest.skip("postal-mime is not installed; .ci/run installs it")
    command = [node or "node", str(HERE / "read_headers.mjs"), str(READERS)]
    given = json.dumps([mail.decode("ascii") for mail in mails])
    return json.loads(subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout)


def lines_are_right(mail):
    lines = mail.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert mail.isascii()
    assert max(map(len, lines)) <= 998
    assert all(line.strip() for line in lines)
    # A line is longer than it should be only where it has no blank to break at.
    assert not [line for line in lines if len(line) > 78 and b" " in line.strip().partition(b": ")[2]]


@pytest.mark.parametrize(("name", "text"), STRUCTURED)
def test_what_programs_read_is_folded_and_never_encoded(config, name, text):
    """The very characters that were given, but for the folds; Python's parser reads them back."""
    mail = composed(config, name, text)
    lines_are_right(mail)
    head = mail.split(b"\r\n\r\n")[0].decode()
    assert f"{name}: {text}\r\n" in head.replace("\r\n ", " ")
    assert str(message_from_bytes(mail, policy=email.policy.default)[name]) == text


def test_parsers_of_another_language_read_the_same(config):
    """Two of npm's; one finds the URL to unsubscribe at, as mailbox providers do."""
    read = parsed_elsewhere([composed(config, name, text) for name, text in STRUCTURED])
    for (name, text), mailparser, postal in zip(STRUCTURED, read["mailparser"], read["postal-mime"], strict=True):
        assert postal["headers"][name.lower()] == text
        if name == "List-Unsubscribe":
            assert f"<{mailparser['list']['unsubscribe']['url']}>" in text
        elif name == "References":
            assert mailparser["references"] == text.split(" ")
        elif not name.startswith("List-"):
            assert mailparser["headers"][name.lower()] == text


@pytest.mark.parametrize(("name", "text"), CHANGED)
def test_json_means_the_same_though_it_is_written_otherwise(config, name, text):
    """Letters beyond ASCII are escaped, a line that is too long gets blanks; in strings nothing changes."""
    mail = composed(config, name, text)
    lines_are_right(mail)
    for read in (
        message_from_bytes(mail, policy=email.policy.default)[name],
        parsed_elsewhere([mail])["postal-mime"][0]["headers"][name.lower()],
    ):
        assert json.loads(str(read)) == json.loads(text)


@given(
    st.recursive(
        st.text(max_size=30) | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    )
)
def test_any_json_means_the_same(value):
    """Whatever is in its strings: commas, colons, quotes, escapes."""
    for text in (json.dumps([value]), json.dumps([value], ensure_ascii=False, separators=(",", ":"))):
        if text.isprintable():
            written = further_header("X-SMTPAPI", text)
            assert json.loads(written.partition(":")[2].replace("\r\n", "")) == [value]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("List-Unsubscribe", "<https://exämple.com/leave>", "printable ASCII"), ("list-id", "Zoë <codes.acme.example>", "printable ASCII"),
        ("X-PM-Tag", "été", "printable ASCII"), ("List-Unsubscribe", f"<{url(900)}{'x' * 200}>", "998 octets"),
        ("X-SMTPAPI", '{"a": "' + "b" * 1200 + '"}', "998 octets"), ("X-SMTPAPI", '{"a": é', "printable ASCII"),
    ],
)  # fmt: skip
def test_what_cannot_stand_there_is_refused_by_name(config, name, text, words):
    """Of the config when it is read, of an Email when it is made: not by the first mail, and never encoded."""
    with pytest.raises(ConfigError, match=words) as caught:
        config(customHeaders={"X-Right": "é", name: ["fine", text]})
    assert [problem.path for problem in caught.value.problems] == [f"customHeaders.{name}"]
    with pytest.raises(ValueError, match=f"headers: {name} .*{words}"):
        Email("zoe@example.com", "s", text="t", headers={name: text})


def test_the_longest_word_that_fits_a_line(config):
    """998 octets with the name; one more is refused."""
    text = "<" + "x" * (998 - len("List-Unsubscribe: <>")) + ">"
    assert f"List-Unsubscribe: {text}\r\n".encode() in composed(config, "List-Unsubscribe", text)
    for name, too_long in (("List-Unsubscribe", f"{text}>"), ("References", f"<a@b.example> <{'x' * 996}>")):
        with pytest.raises(ValueError, match="998 octets"):
            checks.structured_header(name, too_long)
    assert checks.structured_header("References", f"<a@b.example> <{'x' * 995}>")


@pytest.mark.parametrize(
    "text", ["Zoë", "q" * 300, "free text " * 30 + "end", "Zoë " * 50 + "end", "=?utf-8?q?x?=", "  two  blanks ", ""]
)
def test_what_people_read_is_encoded_where_it_must_be(config, text):
    """A header that is not known; a long word of ASCII stays as it is, for programs mostly read such a one."""
    mail = composed(config, "X-Words", text)
    assert mail.isascii()
    assert str(message_from_bytes(mail, policy=email.policy.default)["X-Words"]) == text
    assert (b"=?utf-8?" in mail) is (not text.isascii() or "=?" in text or text != text.strip())


def test_headers_of_the_config_keep_to_the_same_rules(config):
    """A pasted line break is a blank, where the header is folded anew."""
    settings = config(customHeaders={"List-Unsubscribe": f"<mailto:leave@acme.example>,\r\n <{url(300)}>", "Comments": "é"})
    mail = compose(Email("zoe@example.com", "s", text="t"), settings, unique="0" * 32).data
    assert f"List-Unsubscribe: <mailto:leave@acme.example>,  <{url(300)}>\r\n".encode() in mail.replace(b"\r\n ", b" ")
    assert b"Comments: =?utf-8?" in mail
