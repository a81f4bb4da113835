"""What a provider's words speak of, where its code and status leave several causes open.

The account's trouble wears any status and any code, and its words are told anew with each release. So a row has what it is
about and what is said of it, both in one sentence, and not a text word by word. The rows that hold for every provider are those of
:mod:`authmail.connect.spoken_of_accounts`.
"""

import re
from collections.abc import Iterable, Iterator

import attrs

from authmail.outcomes import Meaning

#: A provider says in its first sentences what is wrong.
_LONGEST = 1000
_SENTENCE_ENDS = re.compile(r"[.!?;] ")
#: Between the words of a code: ``Forbidden.InDebt``, ``quota_exceeded``.
_CODE_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]")

#: A sentence with one of these is about whom the mail is for, or what is in it: that is no trouble of the account's.
OF_THE_MESSAGE = (
    r"\brecipient|\bmailbox|\binbox\b|\baddressee|\bdestination|\bto address|[`'\"]to\b|\bsuppress|\bunsubscrib"
    r"|\bsubject\b|\bbody\b|\bcontain|\btemplate|\battachment"
)


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


@attrs.frozen
class Spoken:
    """A row: what a sentence means that has ``about`` and ``says`` in it, and not ``unless``.

    Each is a regular expression, searched for whatever the case. Addresses are taken out before: they are what somebody
    typed, and decide nothing.

    Args:
        about: what it is about: ``"quota|credits?"``; empty fits any sentence.
        says: what is said of it: ``r"exceeded|used up"``.
        meaning: what it means.
        unless: what must not stand in the sentence; whom the mail is for and what is in it, unless said otherwise.
    """

    about: re.Pattern[str] = attrs.field(converter=_pattern)
    says: re.Pattern[str] = attrs.field(converter=_pattern)
    meaning: Meaning
    unless: re.Pattern[str] = attrs.field(default=OF_THE_MESSAGE, converter=_pattern)


def meaning_of_words(rows: Iterable[Spoken], code: str | None, words: str | None) -> Meaning | None:
    """Return what a provider's words mean, by the first row that fits any sentence of them; None where none does.

    Args:
        rows: in their order.
        code: the provider's, whose name speaks too: ``Forbidden.InDebt``.
        words: the provider's.
    """
    sentences = [*_sentences(code, words)]
    return next((row.meaning for row in rows if any(_fits(row, sentence) for sentence in sentences)), None)


def _fits(row: Spoken, sentence: str) -> bool:
    return bool(row.says.search(sentence) and row.about.search(sentence) and not row.unless.search(sentence))


def _sentences(code: str | None, words: str | None) -> Iterator[str]:
    if code:
        yield " ".join(_CODE_WORDS.sub(" ", code[:_LONGEST]).split())
    told = [_without_address(word) for word in (words or "")[:_LONGEST].replace("’", "'").split()]  # noqa: RUF001
    yield from _SENTENCE_ENDS.split(" ".join(told))


def _without_address(word: str) -> str:
    return word if "@" not in word else "@." if word.endswith(".") else "@"
