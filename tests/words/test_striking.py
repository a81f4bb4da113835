"""Striking texts out of others, however they are spelt there."""

import pytest
from spellings import SPELLINGS

from authmail.words.striking import Spellings

SECRET = "hunter2-CANARY/ü &<x>"
CODE = "482913"
LINK = "https://auth.example.com/reset?token=Zk3v&u=zoé"


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
    assert len(kept.replace("***", "")) <= 16, kept  # what stands around it, and letters that Base64 shares with that


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
