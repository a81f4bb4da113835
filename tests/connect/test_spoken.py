import json
from pathlib import Path

import pytest

from authmail import AccountError, Meaning, MessageRejected, Reason, Spoken, Throttled
from authmail.connect.spoken import meaning_of_words
from authmail.connect.spoken_of_accounts import ACCOUNT

WORDS = json.loads((Path(__file__).parents[1] / "vectors" / "providers" / "spoken.json").read_text("utf-8"))
OURS = [(words, reason) for reason, told in WORDS["ours"].items() for words in told]


def reason_of(code, words):
    """The reason of the account's trouble that is told; None for no trouble of the account's."""
    meaning = meaning_of_words(ACCOUNT, code, words)
    if meaning is None:
        return None
    assert meaning.kind is (Throttled if meaning.reason is Reason.RATE else AccountError)
    return meaning.reason


@pytest.mark.parametrize(("words", "reason"), WORDS["said"].items())
def test_what_providers_say_is_understood(words, reason):
    """Each real sentence; one that tells nothing of the account stays the message's."""
    assert reason_of(None, words) == reason


@pytest.mark.parametrize(("words", "reason"), OURS)
def test_a_new_wording_of_the_same_is_understood(words, reason):
    """A row looks for what a sentence is about and what is said of it, and not for a text."""
    assert reason_of(None, words) == reason


@pytest.mark.parametrize("words", WORDS["look_alikes"] + WORDS["own_row"])
def test_words_that_look_alike_tell_nothing(words):
    """Those about the recipient and the content, what somebody typed, and those that are too wide for every provider."""
    assert reason_of(None, words) is None


@pytest.mark.parametrize(("code", "reason"), WORDS["codes"].items())
def test_the_name_of_a_code_speaks_too(code, reason):
    """Whether its words are joined by dots, underscores or capitals."""
    assert reason_of(code, None) == reason


def test_an_address_decides_nothing():
    """Else a stranger could stop everybody's mail by what he types as his address."""
    assert reason_of(None, "The address zoe@your-account-is-suspended.example is not accepted") is None
    assert reason_of(None, '"your-account-is-suspended"@example.com was refused') is None


def test_both_parts_stand_in_one_sentence():
    """What is about the account here, and refused there, is no refusal of the account."""
    assert reason_of(None, "The account was asked. Bob was suspended") is None
    assert reason_of(None, "The account of zoe@example.com. Bob was suspended") is None
    assert reason_of(None, "Bob was asked. The account was suspended") == Reason.ACCOUNT
    assert reason_of(None, f"{'x' * 1000} The account was suspended") is None


def test_the_first_row_that_fits_decides():
    """Whatever the order of the sentences."""
    stale = Spoken("key", "stale", Meaning(AccountError, Reason.CREDENTIALS))
    dull = Spoken("", "dull", Meaning(MessageRejected, Reason.CONTENT), unless="not dull")
    assert meaning_of_words([stale, dull], None, "How dull. A Stale KEY").reason == Reason.CREDENTIALS
    assert meaning_of_words([stale, dull], None, "A stale bun; it is dull").reason == Reason.CONTENT
    assert meaning_of_words([stale, dull], None, "It is not dull") is None
    assert meaning_of_words([stale], "KeyIsStale", None).reason == Reason.CREDENTIALS
    assert meaning_of_words([stale, dull], None, None) is None
