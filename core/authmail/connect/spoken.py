"""What a provider's words speak of, where its code and status leave several causes open.

The account's trouble wears any status and any code, and its words are told anew with each release. So a row has what it is
about and what is said of it, both in one sentence, and not a text word by word. The general rows, :data:`ACCOUNT`, hold for every
provider; they are made of what the big ones answer (error pages and public issues of Amazon SES, SendGrid, Mailgun, Postmark, Brevo,
Mailjet, MailerSend, Resend and Alibaba Cloud, 2026-11).
"""

import re
from collections.abc import Iterable, Iterator

import attrs

from authmail.outcomes import AccountError, Meaning, Reason, Throttled

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


_NOT = r"(?:\bnot|n't|\bno|\bnever)\W(?:\w+\W){0,3}?"

#: Of the sender's domain: what is not done, or must be.
_UNVERIFIED = (
    rf"(?:{_NOT}|\b(?:must|please|needs? to|yet to|first)\W(?:\w+\W){{0,3}}?)(?:verif|confirm|authenticat|validat)"
    r"|\bun(?:verified|confirmed|authenticated|validated|configured)\b"
    r"|\b(?:pending|awaiting|requires|lacks|without) (?:verification|confirmation|authentication|validation)"
    rf"|{_NOT}(?:allowed|permitted|authori[sz]ed) to send"
)
_SENDER = (
    r"\bsender|\bsending (?:address|identity|domain)|[`'\"]from\b|\bmail from\b|\bfrom (?:address|domain|e?-?mail|header|field)"
)
#: Of its address besides.
_UNKNOWN_SENDER = rf"\binvalid\b|{_NOT}(?:valid|exist|match|allowed|authori[sz]ed|permitted|accepted|sender signature)|\bmust (?:be (?:the )?same|match)"

_ACCESS = r"\b(?:api|access|auth\w*|bearer|secret|security|server)[ _-]?(?:keys?|tokens?)\b"
_KEY = (
    rf"{_ACCESS}|\bapikey|\bclient secret"
    r"|\bcredentials?\b|\busername (?:or|and) password|\bauthori[sz]ation (?:header|grant)|\bauthentication\b|\bunauthenticated\b"
)
_WRONG = (
    rf"\binvalid\b|{_NOT}(?:valid|found|recogni[sz]ed|exist|match|accepted|provided|correct)|\bincorrect|\bwrong\b|\brevoked|\bexpired"
    r"|\bmissing\b|\bunknown\b|\bdisabled|\bdeleted|\binactive|\bfail|\brequired|\bunauthenticated\b"
)

_RIGHTS = rf"{_ACCESS}|\baccount\b|\bcredentials?\b|\bpermissions?\b|\bscopes?\b|\bplan\b|\baccess\b|\bto perform\b"
_LACKING = (
    rf"{_NOT}(?:authori[sz]ed|allowed|permitted|granted|entitled|permissions?|include)|\bunauthori[sz]ed\b|\brestricted\b|\binsufficient\b|\black"
    r"|\bdenied\b|\b(?:missing|required) (?:\w+ )?(?:permission|scope)|\b(?:permission|scope)s? (?:is |are )?(?:missing|required)"
)

_QUOTA = (
    r"\bquota|\bcredits?\b|\bbalance\b|\ballowance\b|\ballotment\b"
    r"|\b(?:daily|monthly|weekly|sending|send|plan|account|messages?|e?-?mails?) (?:\w+ ){0,2}limits?\b"
)
_USED_UP = (
    r"exceed|\breach|\bused up\b|exhaust|\binsufficient\b|\bnot (?:have )?(?:enough|sufficient)\b|\bno (?:\w+ ){0,2}(?:left|remain|more)"
    r"|\bran out|\brun out|\bout of\b|\bover\b|deplet|\bno (?:credits?|balance|quota)\b|\bhit\b|\btoo low\b|\bnegative\b"
)
_UNPAID = (
    r"\barrear|\bin ?debt|\bunpaid\b|\boverdue\b|\boutstanding (?:payment|balance|invoice|bill)"
    r"|\bpayment (?:is |was )?(?:required|fail|declined|due)"
)

_ACCOUNT = (
    r"\baccount|\bsub-?account|\byour (?:team|workspace|organi[sz]ation|subscription|service)\b"
    r"|\b(?:team|workspace|organi[sz]ation|subscription|service|sending) (?:is|has|was|not|paused?|suspend|disabled)"
)
_STOPPED = (
    r"suspend|\bpaused?\b|\bdisabled\b|deactivat|\bblocked\b|\blocked\b|\bfrozen\b|\bbanned\b|\bclosed\b|terminat|\binactive\b"
    rf"|\bunder review|\bon hold\b|\bpending (?:approval|review|activation)|{_NOT}(?:active\b|activated|enabled|approved|verified|open\b)"
)

_TEST_MODE = r"\btest(?:ing)?\b|\bsandbox|\btrial\b|\bdemo\b"
_OWN_ALONE = r"\bonly (?:\w+ ){0,3}(?:send|verified|own|authori[sz]ed)|\byour own\b|\bpurposes only"
_CLOCK = r"\btime ?stamp|\bclock\b|\bsystem time\b|\brequest time\b|\bsignature expired"
_OFF = r"expire|\bskew|\btoo (?:far|old|large|different|early|late)\b|\boff\b|\bdrift|\binvalid\b|\billegal\b|\bdiffer|\bwithin\b"
_FAST = (
    r"\btoo (?:many (?:\w+ )?(?:requests|calls|messages|e?-?mails|connections)|fast|quickly)\b|throttl|\bslow down\b|\bflow control"
    r"|\brate[ -]?(?:\w+ ){0,2}(?:limit|exceed)|\b(?:exceed\w*|reached) (?:\w+ ){0,3}rate\b"
)
_ADDRESS = r"\bips?\b|\bip address"
_REFUSED = rf"{_NOT}(?:allowed|authori[sz]ed|permitted|white-?listed|allow-?listed|trusted)|\ballow ?list|\bwhite ?list|\bblocked\b|\bdenied\b"

_OF_SIZE_OR_RATE = rf"{OF_THE_MESSAGE}|\brate\b|\bsize\b|\blength\b|\bcharacters?\b|\bbytes?\b|\bstorage\b|\bheaders?\b"
_OF_A_REPEAT = rf"{OF_THE_MESSAGE}|\bidempoten"

#: What words of the account's trouble mean at any provider; the closer causes first.
ACCOUNT: tuple[Spoken, ...] = (
    Spoken(
        _CLOCK,
        _OFF,
        Meaning(AccountError, Reason.CLOCK, "the provider finds the time of the request wrong; set this server's clock (NTP)"),
    ),
    Spoken(
        _TEST_MODE,
        _OWN_ALONE,
        Meaning(
            AccountError,
            Reason.ACCOUNT,
            "the account is in the provider's test mode, which reaches its own addresses alone; have it opened",
        ),
        unless=r"\binstead\b",
    ),
    Spoken(
        rf"\bdomain|{_SENDER}",
        _UNVERIFIED,
        Meaning(
            AccountError,
            Reason.SENDER,
            "the sender's domain or address is not verified at the provider; verify it, or send from one that is",
        ),
    ),
    Spoken(_SENDER, _UNKNOWN_SENDER, Meaning(AccountError, Reason.SENDER, "the provider does not accept the sender's address")),
    Spoken("", _UNPAID, Meaning(AccountError, Reason.QUOTA, "a bill of the account is not paid; pay it at the provider")),
    Spoken(
        _QUOTA,
        _USED_UP,
        Meaning(AccountError, Reason.QUOTA, "the account's quota or credit is used up; raise it at the provider, or pay"),
        unless=_OF_SIZE_OR_RATE,
    ),
    Spoken("", _FAST, Meaning(Throttled, Reason.RATE, "the provider asks to send slower")),
    Spoken(
        _KEY,
        _WRONG,
        Meaning(AccountError, Reason.CREDENTIALS, "the provider does not accept the credentials; check them"),
        unless=_OF_A_REPEAT,
    ),
    Spoken(
        _ADDRESS,
        _REFUSED,
        Meaning(
            AccountError, Reason.PERMISSION, "the provider does not accept this server's address; put it on the account's list"
        ),
    ),
    Spoken(
        _ACCOUNT,
        _STOPPED,
        Meaning(AccountError, Reason.ACCOUNT, "the provider has stopped the account, or not opened it yet; see its console"),
    ),
    Spoken(
        _RIGHTS,
        _LACKING,
        Meaning(AccountError, Reason.PERMISSION, "the provider forbids it; check the rights of the credentials, and the account"),
        unless=_OF_A_REPEAT,
    ),
)
