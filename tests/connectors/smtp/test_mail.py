import email.policy
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail_smtp.config import SMTPConfig
from authmail_smtp.mail import compose

NOW = datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC)
BASE = {"host": "smtp.example.com", "port": 587, "auth": {}, "fromEmail": "Acme <noreply@example.com>"}


@pytest.fixture(autouse=True)
def templates_elsewhere():
    from authmail.config.settings import templates_elsewhere

    with templates_elsewhere(True):
        yield


def config(**change):
    from authmail.config.settings import templates_elsewhere

    with templates_elsewhere(True):
        return SMTPConfig.from_dict(BASE | change)


def composed(mail, **change):
    return compose(mail, config(**change), unique="0" * 32, now=NOW)


def read(data):
    """What Python's own parser reads."""
    return message_from_bytes(data, policy=email.policy.default)


def name_and_address(data, header):
    """What a reader shows of the one mailbox in a header.

    Of Python's two parsers the new one tells how many mailboxes there are, and the old one reads the name: the new one
    of Python 3.11 puts a blank between the encoded words of a long name (RFC 2047 section 6.2 says to drop it).
    """
    (one,) = read(data)[header].addresses
    name, address = parseaddr(message_from_bytes(data)[header].replace("\r\n", ""))
    assert address == one.addr_spec
    return str(make_header(decode_header(name))), address


def lines_are_right(data):
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\0" not in data


def test_a_mail_in_full():
    """Text and HTML as alternatives, Date, Message-ID of the sender's domain."""
    mail = composed(Email("zoe@example.com", "Your code", html="<p>482913</p>", text="482913"))
    assert (mail.sender, mail.recipient, mail.needs_utf8) == ("noreply@example.com", "zoe@example.com", False)
    assert mail.message_id == f"<{'0' * 32}@example.com>"
    assert mail.data.decode("ascii").split("\r\n") == [
        "From: Acme <noreply@example.com>",
        "To: zoe@example.com",
        "Subject: Your code",
        "Date: Wed, 25 Nov 2026 01:02:03 +0000",
        f"Message-ID: <{'0' * 32}@example.com>",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="=_{"0" * 32}"',
        "",
        f"--=_{'0' * 32}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "482913",
        f"--=_{'0' * 32}",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "<p>482913</p>",
        f"--=_{'0' * 32}--",
        "",
    ]
    assert "482913" not in repr(mail)


def test_one_part_stays_one_part():
    """No multipart around it."""
    assert read(composed(Email("a@b.c", "s", text="t")).data).get_content_type() == "text/plain"
    assert read(composed(Email("a@b.c", "s", html="<p>t</p>")).data).get_content_type() == "text/html"


NAMES = [
    "Acme", "Müller, Anna", "Acme, Inc.", 'Zoë "Z" 太郎', "O'Brien <x@evil.example>", "=?utf-8?q?Fake?=", "小红" * 40, "a" * 200, "A. B", "x@y.z", "(comment)",
    "back\\slash", "Ünï, cödé; <list>: group;", "🎉" * 30, "trailing.", "é", "Acme " * 30 + "end", "=?", "a =?b?= c", "ﬁ", "مرحبا بالعالم",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_read_as_they_are(name):
    """One mailbox, whatever its name: no comma, quote or bracket in it is the list's own; Python's parser agrees."""
    data = composed(
        Email(Mailbox("zoe@example.com", name), "s", text="t", from_name=name, reply_to=Mailbox("r@example.com", name))
    ).data
    lines_are_right(data)
    assert data.isascii()
    for header, address in (("From", "noreply@example.com"), ("To", "zoe@example.com"), ("Reply-To", "r@example.com")):
        assert len(read(data).get_all(header)) == 1
        assert name_and_address(data, header) == (name, address)


@pytest.mark.parametrize(
    "subject",
    [
        "Your code", "Votre code à usage unique", "x" * 500, "word " * 60 + "end", "  two  blanks  ", "=?utf-8?q?Fake?=", "您的验证码" * 30, "🎉", "a" * 75,
        "tab", "nbsp\u00a0x", "é" * 300, "a, b; <c>", "é a =?b?= c", "", " ", "x =?utf-8?b?eA==?= y", "a  b " * 40,
    ],
)  # fmt: skip
def test_subjects_read_as_they_are(subject):
    """Folded or encoded where needed."""
    data = composed(Email("a@b.c", subject, text="t")).data
    lines_are_right(data)
    assert max(map(len, data.split(b"\r\n"))) <= 78
    assert read(data)["Subject"] == subject


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=300))
@settings(max_examples=150)
def test_any_subject_and_name_read_as_they_are(text):
    """Whatever letters there are."""
    mail = Email(Mailbox("zoe@example.com", text), text, text="t")
    data = composed(mail).data
    lines_are_right(data)
    assert data.isascii()
    assert str(read(data)["Subject"]) == mail.subject
    assert name_and_address(data, "To") == (mail.to.name, "zoe@example.com")


@pytest.mark.parametrize(
    "text",
    [
        "t",
        "",
        "two\nlines\n",
        "é",
        "x" * 2000,
        "é" * 2000,
        "a\r\nb\rc\nd",
        ".",
        "..\n.\n",
        "From me",
        "\x00\x07",
        "中" * 1000,
        "trailing  \n  blanks ",
        "=3D",
        "\t",
    ],
)
def test_bodies_read_as_they_are(text):
    """7-bit, no long line, whatever they hold."""
    for mail in (Email("a@b.c", "s", text=text, html=f"<p>{text}</p>"), Email("a@b.c", "s", text=text)):
        data = composed(mail).data
        lines_are_right(data)
        assert data.isascii()
        wanted = re.sub(r"\r\n?", "\n", text)
        assert read(data).get_body(("plain",)).get_content().replace("\r\n", "\n").removesuffix("\n") == wanted.removesuffix("\n")


def test_international_domains_are_in_their_ascii_form():
    """In envelope and headers."""
    mail = composed(Email("zoe@bücher.example", "s", text="t"), fromEmail="x@münchen.example")
    assert (mail.sender, mail.recipient) == ("x@xn--mnchen-3ya.example", "zoe@xn--bcher-kva.example")
    assert mail.message_id.endswith("@xn--mnchen-3ya.example>")
    assert mail.data.isascii()


def test_letters_beyond_ascii_before_the_at_need_smtputf8():
    """Then the header holds them as they are (RFC 6532)."""
    mail = composed(Email("zoë@example.com", "s", text="t"))
    assert mail.needs_utf8
    assert "To: zoë@example.com\r\n" in mail.data.decode()


def test_overrides_of_sender_and_reply():
    """A name alone keeps the address; the mail's own reply address wins over the config's."""
    named = read(composed(Email("a@b.c", "s", text="t", from_name="Brand"), replyTo="Help <help@example.com>").data)
    assert (named["From"], named["Reply-To"]) == ("Brand <noreply@example.com>", "Help <help@example.com>")
    own = composed(Email("a@b.c", "s", text="t", from_address="x@y.example", reply_to="r@y.example"), replyTo="help@example.com")
    assert own.sender == "x@y.example"
    assert own.message_id.endswith("@y.example>")
    assert read(own.data)["Reply-To"] == "r@y.example"


def test_further_headers():
    """Of the config, several of one name; the mail's own win; none that the mail writes itself; no line break."""
    headers = {
        "X-One": "1",
        "X-Many": ["a", "b"],
        "From": "x@evil.example",
        "bcc": "x@evil.example",
        "X-Break": "1\r\nBcc: x@evil.example",
    }
    message = read(
        composed(
            Email("a@b.c", "s", text="t", headers={"x-one": "own", "X-Ünï".encode("ascii", "ignore").decode(): "é"}),
            customHeaders=headers,
        ).data
    )
    assert message.get_all("X-One") == ["own"]
    assert message.get_all("X-Many") == ["a", "b"]
    assert message.get_all("From") == ["Acme <noreply@example.com>"]
    assert message["Bcc"] is None
    assert message["X-Break"] == "1 Bcc: x@evil.example"


@pytest.mark.parametrize("name", ["From", "subject", "Content-Type", "BCC", "Message-ID"])
def test_a_mail_may_not_write_what_it_writes_itself(name):
    """The host is told which header."""
    with pytest.raises(MessageRejected, match=name) as caught:
        composed(Email("a@b.c", "s", text="t", headers={name: "x"}))
    assert caught.value.reason is Reason.CONTENT


def test_half_of_a_surrogate_pair_is_refused():
    """It cannot be written as UTF-8."""
    for mail in (
        Email("a@b.c", "s", text="\ud83d"),
        Email("a@b.c", "x\ud83d", text="t"),
    ):
        with pytest.raises(MessageRejected, match="surrogate"):
            composed(mail)


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@evil.example", "a\nb", "a\u2028b", "a\x00b"])
def test_no_control_character_reaches_a_header(subject):
    """They become blanks."""
    message = read(composed(Email("a@b.c", subject, text="t")).data)
    assert message["Bcc"] is None
    assert not re.search(r"[\x00-\x1f\u2028]", str(message["Subject"]))


def test_python_reads_a_group_of_none():
    """The oracle of these tests is strict: it would see two mailboxes where there are two."""
    both = read(b"To: a@b.c, d@e.f\r\n\r\n")["To"].addresses
    assert [one.addr_spec for one in both] == ["a@b.c", "d@e.f"]
    assert isinstance(both[0], Address)
