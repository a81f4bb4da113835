import json
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from authmail.words.striking import Spellings

SECRET = "hunter2-CANARY/ü &<x>"
CODE = "482913"
LINK = "https://auth.example.com/reset?token=Zk3v&u=zoé"


def entities(text, form="&#{};"):
    return "".join(form.format(ord(character)) for character in text)


def escapes(text):
    return "".join(f"\\u{ord(character):04X}" for character in text)


#: In how many ways a text may be repeated by whoever got it, or got a request with it.
SPELLINGS = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "percent": lambda text: quote(text, safe=""),
    "percent, some kept": quote,
    "percent in small letters": lambda text: quote(text, safe="").replace("%3A", "%3a").replace("%C3%BC", "%c3%bc"),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, every character": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "as a form writes it": quote_plus,
    "HTML": escape,
    "HTML twice": lambda text: escape(escape(text)),
    "entities": entities,
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(character):x};" for character in text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON, every character": escapes,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "Base64": lambda text: b64encode(text.encode()).decode(),
    "Base64 for addresses": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "Base64 behind one byte": lambda text: b64encode(b"u" + text.encode() + b"zz").decode(),
    "Base64 behind two": lambda text: b64encode(b"u:" + text.encode() + b"z").decode(),
    "Base64 of a login": lambda text: b64encode(f"\0user\0{text}".encode()).decode(),
    "percent of HTML": lambda text: quote(escape(text), safe=""),
}


@pytest.mark.parametrize("confidential", [SECRET, CODE, LINK])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_struck_out(spelling, confidential):
    """What is left of it are the words around; decoded again, nothing of it is there."""
    spelt = SPELLINGS[spelling](confidential.removeprefix("https://"))
    struck = Spellings([confidential]).strike(f"You sent {spelt} to us")
    assert struck.startswith("You sent ")
    assert struck.endswith(" to us")
    assert "***" in struck
    kept = struck.removeprefix("You sent ").removesuffix(" to us")
    assert len(kept.replace("***", "")) <= 12, kept  # the letters that Base64 shares with what stands around


@pytest.mark.parametrize("piece", [SECRET[:8], SECRET[4:13], LINK[-12:], LINK[-20:-8]])
def test_a_piece_gives_it_away(piece):
    """Whoever echoes may cut anywhere: eight characters in a row are enough to be struck out."""
    assert piece not in Spellings([SECRET, LINK]).strike(f"near '{piece}'")


def test_short_texts_and_other_words_stay():
    """Three characters stand in every sentence; scheme and host of a link tell nothing without what follows them."""
    spellings = Spellings(["abc", "https://auth.example.com/reset?t=Zk3v9"])
    for said in ("abc, see https://docs.example.org/errors", "the domain auth.example.com is not verified"):
        assert spellings.strike(said) == said
    assert spellings.strike("refused: https://auth.example.com/reset?t=Zk3v9!") == "refused: https://***!"


def test_a_long_secret_is_found_in_pieces_of_sixteen():
    """A private key of 16 KiB costs no more than a short one, and what is repeated of it is found all the same."""
    key = "".join(f"{number:05}" for number in range(3300))
    assert "01234" not in Spellings([key]).strike(f"key: {key[6168 : 6168 + 40]}.").replace("***", "")
