import langcodes
import pytest
from langcodes import language_distance

from authmail.words.locales import best_match, fallbacks, wanted_locales


@pytest.mark.parametrize(
    ("payload", "locales"),
    [
        ({}, ()),
        ({"locale": "fr-CA"}, ("fr-ca",)),
        ({"locale": "pt_BR", "uiLocales": "fr-CA  en pt-br"}, ("pt-br", "fr-ca", "en")),
        ({"uiLocales": ["de", "en"]}, ("de", "en")),
        ({"locale": None, "uiLocales": None}, ()),
        ({"locale": 5, "uiLocales": [1, "en", {}]}, ("en",)),
        ({"locale": "x" * 36}, ()),
    ],
)
def test_locales_come_from_the_payload(payload, locales):
    """payload.locale first, then uiLocales; what is no tag is passed over."""
    assert wanted_locales(payload) == locales


def test_a_stranger_cannot_send_thousands():
    """ui_locales is a request parameter: only the first tags count."""
    assert len(wanted_locales({"uiLocales": " ".join(f"x{number}" for number in range(10_000))})) <= 16


def test_fallbacks_drop_subtags_and_singletons():
    """RFC 4647 look-up: a singleton goes with what follows it."""
    assert list(fallbacks("zh-hant-cn-x-private1")) == ["zh-hant-cn-x-private1", "zh-hant-cn", "zh-hant", "zh"]


@pytest.mark.parametrize(
    ("wanted", "available", "found"),
    [
        (["fr-CA"], ["en", "fr"], "fr"),
        (["fr-CA"], ["fr-FR", "fr-CA"], "fr-CA"),
        (["FR_ca"], ["fr-CA"], "fr-CA"),
        (["xx", "de"], ["en", "de"], "de"),
        (["zh-TW"], ["zh-CN", "zh-Hant"], "zh-Hant"),
        (["pt"], ["pt-BR"], "pt-BR"),
        (["pt", "en"], ["pt-BR", "en"], "pt-BR"),
        (["no"], ["nb", "en"], "nb"),
        (["af"], ["af-ZA"], "af-ZA"),
        (["ja"], ["en", "de"], None),
        (["uk"], ["ru", "en"], None),  # the host's default then, and not a neighbour's language
        (["be"], ["ru"], None),
        (["ca"], ["es"], None),
        (["nn"], ["nb", "en"], "nb"),
        (["de-ch-1901-x-private"], ["de-CH"], "de-CH"),
        (["zh-hant-tw-u-co-stroke"], ["zh-Hans", "zh-Hant"], "zh-Hant"),
        (["not a tag!"], ["en"], None),
        (["en"], ["not a tag!"], None),
        ([], ["en"], None),
        (["en"], [], None),
    ],
)
def test_best_match(wanted, available, found):
    """Plain look-up first, then the nearest language; never another language."""
    assert best_match(wanted, available) == found


#: id → what we do instead: by language distance, not by the first tag that begins alike (docs/differences-from-logto.md).
DIFFERENT = {"locale-13": "pt-BR", "locale-15": "zh-TW"}


def test_resolves_as_logto_does(vectors):
    """The captured look-ups of ui_locales, with our documented differences."""
    data = vectors("logto/locale_resolution")
    for case in data["cases"]:
        if case["accept_language"] or case["query_locale"]:
            continue  # reading the request is the host's part
        available = [*case["custom_languages"], *data["about"]["built_in_languages"]]
        wanted = [*(case["ui_locales"] or "").split(), case["default_language"], "en"]
        assert best_match(wanted, available) == DIFFERENT.get(case["id"], case["expected"]), case["label"]


def test_a_stranger_cannot_fill_the_memory_with_languages():
    """langcodes keeps what it was asked about: only language, script and region of a tag, and no more than some thousands."""
    caches = (langcodes.Language._INSTANCES, langcodes.Language._PARSE_CACHE, language_distance._DISTANCE_CACHE)
    most = 0
    for number in range(6_000):
        first, second, third = (chr(ord("a") + number // base % 26) for base in (1, 26, 676))
        best_match([f"en-{first}{second}{third}a-{first}{second}", f"de-x-made-up-{number}"], ["nl", "fr-CA"])
        most = max(most, *map(len, caches))
    assert most < 3 * 2048
    assert not any("made" in tag for tag, _ in langcodes.Language._PARSE_CACHE)
    # Readers of real languages are served as before.
    assert best_match(["zh-TW"], ["zh-CN", "zh-Hant"]) == "zh-Hant"
    assert best_match(["pt-AO"], ["fr", "pt-BR"]) == "pt-BR"
