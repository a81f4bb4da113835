from email.headerregistry import Address
from email.parser import HeaderParser
from email.policy import default

import pytest

from authmail import Mailbox
from authmail.privacy import masked, one_line


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("zoe@example.com", "zoe@example.com", ""),
        (" zoe@example.com ", "zoe@example.com", ""),
        ("Zoë <zoe@example.com>", "zoe@example.com", "Zoë"),
        ("<zoe@example.com>", "zoe@example.com", ""),
        ('"Last, First" <zoe@example.com>', "zoe@example.com", "Last, First"),
        (r'"A \"B\" <C>" <zoe@example.com>', "zoe@example.com", 'A "B" <C>'),
        ("o'brien+tag@例え.jp", "o'brien+tag@xn--r8jz45g.jp", ""),
        ("zoe@BÜCHER.example", "zoe@xn--bcher-kva.example", ""),
        ("zoe@straße.example", "zoe@xn--strae-oqa.example", ""),
        ("ünï@example.com", "ünï@example.com", ""),
        ('"a b"@example.com', '"a b"@example.com', ""),
        ('Zoe <"a>b"@example.com>', '"a>b"@example.com', "Zoe"),
        ("root@localhost", "root@localhost", ""),
    ],
)
def test_parses_one_mailbox(text, address, name):
    """An address alone or in brackets is read; an international domain takes its IDNA 2008 form."""
    mailbox = Mailbox.parse(text)
    assert (mailbox.address, mailbox.name) == (address, name)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "zoe", "@example.com", "zoe@", "zoe@@example.com", "a@b.c, d@e.f", "a@b.c;d@e.f", "a@b.c d@e.f", "zoe@exa mple.com",
        "zoe@example.com\r\nBcc: x@y.z", "zoe@example.com\n", "\tzoe@example.com", "zoe\x00@example.com", "zoe@example.com\u2028",
        "Zoe <zoe@example.com> x", "Zoe <zoe@example.com", "Zoe <a@b.c> <d@e.f>", "Zoe\r\nX: y <zoe@example.com>", "a@b.c <d@e.f>",
        "A, B <a@b.c>", ".zoe@example.com", "zoe.@example.com", "zo..e@example.com", "zoe@-example.com", "zoe@example..com",
        "zoe@[127.0.0.1]", "zoe@exa_mple\u0000.com", "<>", '"x <a@b.c>', "a" * 65 + "@example.com", "a@" + "b." * 130 + "com",
        "zoe\ud800@example.com", "Zoe\udfff <zoe@example.com>",
    ],
)  # fmt: skip
def test_refuses_what_is_not_one_address(text):
    """Lists, control characters, line breaks and broken addresses are refused; the error does not repeat the text."""
    with pytest.raises(ValueError) as caught:
        Mailbox.parse(text)
    assert not any(name in str(caught.value.args) for name in ("zoe", "Zoe", "Bcc", "x@y"))


@pytest.mark.parametrize("value", [None, 1, b"zoe@example.com", ["zoe@example.com"]])
def test_refuses_other_types(value):
    """Something that is no text is a ValueError like any bad address."""
    with pytest.raises(ValueError):
        Mailbox.parse(value)
    with pytest.raises(ValueError):
        Mailbox(value)


@pytest.mark.parametrize(
    "name", ["", "Zoe", "Zoë Müller", "Acme, Inc.", 'A "B"', "a@b.c", "<x@y.z>", "back\\slash", "(c)", "a: b;"]
)
def test_writes_what_the_standard_library_reads_back(name):
    """str() is a mailbox header that Python's email parser reads as the same single address and name."""
    header = HeaderParser(policy=default).parsestr(f"From: {Mailbox('zoe@example.com', name)}\n\n")["From"]
    assert header.addresses == (Address(name, "zoe", "example.com"),)
    assert Mailbox.parse(str(Mailbox("zoe@example.com", name))) == Mailbox("zoe@example.com", name)


def test_no_name_is_decoded_into_another():
    """An encoded word in a name is shown as it is written, not decoded."""
    header = HeaderParser(policy=default).parsestr(f"From: {Mailbox('zoe@example.com', '=?utf-8?q?Bank?=')}\n\n")["From"]
    assert header.addresses[0].display_name == "= ?utf-8?q?Bank?="


@pytest.mark.parametrize("name", ["a\nb", "a\r\nBcc: x@y.z", "\x00", "a\u2029b", "\x7f", "\x85"])
def test_no_name_breaks_a_line(name):
    """A name with a control character or line break is refused."""
    with pytest.raises(ValueError, match="control character"):
        Mailbox("zoe@example.com", name)


def test_header_safe_keeps_all_but_controls():
    """Runs of controls become one blank; everything else stays."""
    assert one_line("a\r\nBcc: x\x00\x1b[31m ü 太郎 🎉") == "a Bcc: x [31m ü 太郎 🎉"


def test_masks_most_of_an_address():
    """Logs and reprs show the first character and the domain."""
    assert masked("zoe@example.com") == "z***@example.com"
    assert masked("nonsense") == "***"
    assert "\n" not in masked("a@b\nc")
