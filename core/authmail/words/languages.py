"""Languages by their tags: which texts are tags, and which tag a person meant who wrote a language's name."""

_NAMES = {
    "ar": "arabic", "cs": "czech", "da": "danish", "de": "german deutsch", "el": "greek", "en": "english eng", "es": "spanish espanol",
    "fi": "finnish", "fr": "french francais fra", "he": "hebrew", "hi": "hindi", "hu": "hungarian", "id": "indonesian",
    "it": "italian italiano", "ja": "japanese jp", "ko": "korean kr", "nb": "norwegian", "nl": "dutch nederlands",
    "pl": "polish", "pt": "portuguese portugues", "pt-BR": "brazilian", "ro": "romanian", "ru": "russian", "sv": "swedish",
    "th": "thai", "tlh": "klingon", "tr": "turkish", "uk": "ukrainian", "vi": "vietnamese", "zh-CN": "chinese simplified cn zhongwen",
    "zh-TW": "traditional taiwanese",
}  # fmt: skip
_TAGS = {name: tag for tag, names in _NAMES.items() for name in names.split()}


def is_language(tag: str) -> bool:
    """Whether a text is a language tag whose parts are registered: ``fr``, ``pt_BR``, ``zh-Hant``; not ``french``."""
    import langcodes  # imported late: for hints alone

    return tag.isascii() and len(tag) <= 35 and bool(langcodes.tag_is_valid(tag.replace("_", "-")))  # noqa: PLR2004 (as locales.py)


def language_named(name: str) -> str | None:
    """Return the tag of a language that a person named in words: ``French`` is ``fr``; None if it is not known."""
    import unicodedata  # imported late: for hints alone

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _TAGS.get(plain.strip())
