import unicodedata

import pytest

from authmail.templates.strangers import clean_text, defang


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Acme & Sons", "Acme & Sons"),
        ("see https://evil.example/x?y", "see https[:]//evil[.]example/x?y"),
        ("HTTP://EVIL.example", "HTTP[:]//EVIL[.]example"),
        ("www.evil.example!", "www[.]evil[.]example!"),
        ("WwW . evil.example", "WwW [.] evil.example"),
        ("https :// evil.example", "https [:]// evil.example"),
        ("ht\u200btps://evil.example", "https[:]//evil[.]example"),
        ("a\u202eb\u2066c\u200ed\u00ade", "abcde"),
        ("a\r\n\tb\x00c\u2028d", "a bc d"),
        ("خانه\u200cها", "خانه\u200cها"),
        ("a\u200cb\u200d", "ab"),
        ("ه\u200ca", "هa"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("\U000e0041tag", "tag"),
    ],
)
def test_makes_text_inert(typed, read):
    """Links are defaced, what cannot be seen is removed, and names of every script stay whole."""
    assert defang(typed) == read


def test_cuts():
    """Names end after 128 characters, attributes after 2048, with an ellipsis."""
    assert defang("x" * 129) == "x" * 127 + "…"
    assert defang("x" * 128) == "x" * 128
    assert len(clean_text("x" * 10_000_000)) == 2048
    # Only so much is looked at at all.
    assert clean_text("\u200b" * 4095 + "xy") == "x"


def test_no_format_character_of_unicode_survives_beside_ascii():
    """Every character of the categories control, format and line separator disappears."""
    invisible = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp")]
    # Visible signs of Arabic, Syriac, Kaithi, Egyptian and musical writing count as format characters too.
    visible = {
        *range(0x600, 0x606),
        0x6DD,
        0x70F,
        0x890,
        0x891,
        0x8E2,
        0x110BD,
        0x110CD,
        *range(0x13430, 0x13440),
        *range(0x1BCA0, 0x1D17B),
    }
    left = {hex(ord(char)) for char in invisible if ord(char) not in visible and clean_text(f"a{char}b") not in ("ab", "a b")}
    assert left == set()
