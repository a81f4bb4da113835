"""The languages that a reader's browser asks for."""

# More than a browser sends; the rest of a longer header is not looked at.
_LONGEST_HEADER = 500
_MOST = 10


def languages_of(accept_language: str | None) -> str:
    """Return the languages of an ``Accept-Language`` header as a payload's ``uiLocales``: the best first, a blank between.

    Args:
        accept_language: the header (RFC 9110, section 12.5.4); None where there is none.
    """
    wanted = []
    for part in (accept_language or "")[:_LONGEST_HEADER].split(","):
        language, _, weight = part.partition(";")
        if (tag := language.strip()) and tag.replace("-", "").isalnum() and (quality := _quality(weight)) > 0:
            wanted.append((quality, tag))
    return " ".join(tag for _, tag in sorted(wanted, key=lambda one: -one[0])[:_MOST])


def _quality(weight: str) -> float:
    """Return a weight such as ``q=0.8``; 1 where there is none, 0 where it cannot be read."""
    name, _, value = weight.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
