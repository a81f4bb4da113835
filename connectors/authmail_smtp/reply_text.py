"""What a reply says: its bytes as text, its enhanced code, its words without anybody's name, the wait that it asks for. Pure."""

import re

from authmail import checks

_LONGEST_WAIT = 24 * 3600
# Characters in which words are looked for: a server that says more must not hold up the loop.
_MOST_WORDS = 8000
_UNITS = {"s": 1, "m": 60, "h": 3600, "秒": 1, "分": 60, "小": 3600}

_TWO_CHINESE = re.compile("[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]{2}")
# At the beginning (RFC 2034), or as qmail and its heirs put it: "(#5.7.1)".
_ENHANCED = re.compile(r"(?:\A|\(#)([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_LINK = re.compile(r"https?://\S*", re.IGNORECASE)
# Names of hosts, and enhanced codes, with what is around them in a sentence.
_DOTTED = re.compile(r"[\[<({#'\"]*[\w-]+(?:\.[\w-]+)+[\])}>'\".,;:!?]*")
_WAIT = re.compile(
    r"(?<![0-9.])(?P<number>[0-9]{1,12}|\b(?:in|after|for|wait) an?) ?(?:(?P<unit>s|m|h)(?:ec(?:ond)?|in(?:ute)?|r|our)?s?\b|(?P<sign>[秒分小]))",
    re.IGNORECASE,
)
# milter-greylist: "please come back in 00:05:00".
_CLOCK = re.compile(r"\bin ([0-9]{2}):([0-9]{2}):([0-9]{2})\b")


def readable(raw: bytes) -> str:
    """Return a reply's bytes as text: UTF-8, or else GBK (GB 18030), in which Chinese servers write.

    Bytes of another encoding, such as one accented letter of Latin-1 between letters of ASCII, become replacement characters:
    GBK is believed only where the whole reply is GBK and two Chinese characters stand side by side.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        chinese = raw.decode("gb18030")
    except UnicodeDecodeError:
        chinese = ""
    return chinese if _TWO_CHINESE.search(chinese) else raw.decode("utf-8", "replace")


def one_line(text: str) -> str:
    """Return a text of several lines as one."""
    return " ".join(text.split())


def enhanced_code(text: str, code: int) -> str | None:
    """Return the enhanced status code of a reply, if there is one that fits the reply code."""
    match = _ENHANCED.search(text)
    return match[1] if match and match[1][0] == str(code)[:1] else None


def words_of(text: str) -> str:
    """Return the words of a reply as one line, without addresses, host names, links and codes.

    Whoever chooses a recipient's address must not choose how the server's refusal of it is read:
    ``daily.quota.exceeded@example.com`` is an address and no quota. Codes stand on every line of a reply of several lines.
    """
    words = _LINK.sub(" ", text).split()
    return " ".join(word for word in words if "@" not in word and not _DOTTED.fullmatch(word))[:_MOST_WORDS]


def seconds_to_wait(words: str) -> float | None:
    """Return the seconds that a server asks to wait, in words."""
    if clock := _CLOCK.search(words):
        hours, minutes, rest = (int(part) for part in clock.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    elif match := _WAIT.search(words):
        number = checks.read_number(match["number"])
        seconds = (1 if number is None else number) * _UNITS[(match["unit"] or match["sign"]).lower()]
    else:
        return None
    return float(seconds) if 0 < seconds <= _LONGEST_WAIT else None
