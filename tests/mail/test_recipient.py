import logging

import pytest

from authmail import Email, Mailer, Message, MessageRejected, Reason, Recipients
from authmail.mail.mailbox import Mailbox
from authmail.mail.recipient import read_recipient
from authmail.templates.composer import Rules
from authmail.templates.defang import HAIR


@pytest.mark.parametrize(
    "address",
    [
        "zoe@example.com",
        "zoe+auth@example.com",
        "o'brien@example.com",
        "a=b@example.com",
        "a/b@example.com",
        "a#b@example.com",
        "a&b@example.com",
        "a*b@example.com",
        "a~b@example.com",
        "a?b@example.com",
        "a_b-c.d@example.com",
        '"a..b"@docomo.example',
        '"zoe."@au.example',
        '".zoe"@au.example',
        "zoé@example.com",
        "用户@example.com",
        "ผู้ใช้@example.com",
        "उपयोगकर्ता@example.com",
        "пользователь@example.com",
    ],
)
def test_addresses_that_people_have(address):
    """Signs that people have, quotes around dots, letters and marks of any script."""
    assert read_recipient(address).address == address


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("zoe\u200b@example.com", "holds U+200B ZERO WIDTH SPACE"),
        ("zoe\ufeff@example.com", "holds U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("z\u00adoe@example.com", "holds U+00AD SOFT HYPHEN"),
        ("zoe\u2060@example.com", "holds U+2060 WORD JOINER"),
        ("\u202ezoe@example.com", "holds U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("zoe\u3164@example.com", "holds U+3164 HANGUL FILLER"),
        ("zoe\u2800@example.com", "holds U+2800 BRAILLE PATTERN BLANK"),
        ("z\u200doe@example.com", "holds U+200D ZERO WIDTH JOINER"),
        ("victim＠other@example.com", "holds ＠ (U+FF20 FULLWIDTH COMMERCIAL AT)"),
        ("ｚoe@example.com", "holds ｚ (U+FF5A FULLWIDTH LATIN SMALL LETTER Z)"),
        ("ﬁ@example.com", "holds ﬁ (U+FB01 LATIN SMALL LIGATURE FI)"),
        ("😀@example.com", "holds 😀 (U+1F600 GRINNING FACE)"),
        ("=?utf-8?q?victim=40other?=@example.com", "holds an encoded word (=?)"),
        ("victim%other@example.com", "holds % (U+0025 PERCENT SIGN)"),
        ("other!victim@example.com", "holds ! (U+0021 EXCLAMATION MARK)"),
        ("|id@example.com", "holds | (U+007C VERTICAL LINE)"),
        ("`id`@example.com", "holds ` (U+0060 GRAVE ACCENT)"),
        ('"victim@other> "@example.com', 'quotes only around dots, as in "a..b" and "zoe."'),
        ('"a;victim@other;b"@example.com', "quotes only around dots"),
        ('"a b"@example.com', "quotes only around dots"),
        (r'"a\"b"@example.com', "quotes only around dots"),
        ('"a;b"@example.com', "holds ; (U+003B SEMICOLON)"),
        ("a..b@docomo.example", 'need quotes: "a..b"@example.com'),
        ("zoe.@au.example", 'need quotes: "a..b"@example.com'),
        ("zoe@example.com, bob@example.com", "not one single address"),
    ],
)
def test_addresses_that_nobody_has(address, hint):
    """Refused, and the hint names the character, also one that cannot be seen."""
    with pytest.raises(MessageRejected) as refused:
        read_recipient(address)
    assert refused.value.reason == Reason.RECIPIENT
    assert hint in refused.value.hint


def test_a_host_may_open_the_rest():
    """Wide are all addresses that the standards allow."""
    assert read_recipient("victim%other@example.com", Recipients.WIDE).address == "victim%other@example.com"
    assert read_recipient('"a b"@example.com', Recipients.WIDE).address == '"a b"@example.com'
    with pytest.raises(MessageRejected):
        read_recipient("a@b.c, d@e.f", Recipients.WIDE)
    with pytest.raises(TypeError, match="recipients="):
        Rules.of((), None, None, "wide", None)


def test_one_spelling_of_accents():
    """A letter and its mark, as some keyboards write it, is sent composed (NFC)."""
    assert read_recipient("zoe\u0301@example.com").address == "zoé@example.com"


def test_a_name_is_dropped(caplog):
    """Nobody writes words into a mail to somebody else; one warning says so, and never shows them."""
    with caplog.at_level(logging.WARNING, "authmail"):
        assert read_recipient('"Urgent: open evil.com" <victim@example.com>') == Mailbox("victim@example.com")
    assert len(caplog.records) == 1
    assert "evil" not in caplog.text
    assert "victim" not in caplog.text


async def test_it_is_judged_when_a_mail_is_previewed(raw):
    """And not when a message is made: limits and logs see all of them."""
    message = Message("Zoé <zoe@example.com>", "SignIn", {"code": "1"})
    assert (await Mailer("aliyun-dm", raw).preview(message)).to == Mailbox("zoe@example.com")
    message = Message("victim%other@example.com", "SignIn", {"code": "1"})
    with pytest.raises(MessageRejected, match="PERCENT SIGN"):
        await Mailer("aliyun-dm", raw).preview(message)
    assert (await Mailer("aliyun-dm", raw, recipients=Recipients.WIDE).preview(message)).to.address == message.to


def test_a_host_that_renders_keeps_the_name_cleaned():
    """Without at-signs, brackets and quotes, and nothing in it links."""
    email = Email(Mailbox("zoe@example.com", 'Zoé "Z" <x@evil.com>\u200b'), "s", text="t")
    assert Rules().readdress(email).to == Mailbox("zoe@example.com", f"Zoé Z x evil.{HAIR}com")
    email = Email("Zoé <zoe@example.com>", "s", text="t")
    assert Rules().readdress(email) is email
    with pytest.raises(MessageRejected, match="ZERO WIDTH SPACE"):
        Rules().readdress(Email("zoe\u200b@example.com", "s", text="t"))


def test_a_message_that_goes_on_as_it_is():
    """A connector that hands messages on gets the address alone."""
    message = Message("Zoé <zoe@example.com>", "SignIn", {"code": "1"})
    assert Rules().readdress_message(message).to == "zoe@example.com"
    same = Message("zoe@example.com", "SignIn", {"code": "1"})
    assert Rules().readdress_message(same) is same
