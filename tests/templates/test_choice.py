import pytest

from authmail import Template, TemplateError
from authmail.templates.choice import choose_template, find_candidates, missing_vital


def template(name, locale=None, content="{{code}}", usage_type=None):
    return Template(usage_type or name.rpartition("/")[2], f"{name}", content, locale=locale)


def choose(templates, usage_type, locales=(), default_locale=None, payload=None):
    found = find_candidates(templates, usage_type, locales, default_locale)
    return choose_template(found, usage_type, {"code": "1"} if payload is None else payload).subject


def test_config_choice_is_logtos(vectors):
    """The captured choices among a config's templates."""
    for case in vectors("logto/template_choice")["cases"]:
        templates = [Template(entry["usageType"], entry["name"], "x") for entry in case["templates"] or []]
        if case["expected"] is None:
            with pytest.raises(TemplateError):
                choose(templates, case["type"])
        else:
            assert choose(templates, case["type"]) == case["expected"]["name"], case["label"]


#: id → what we choose instead of Logto. Reasons: docs/differences-from-logto.md.
DIFFERENT = {
    "i18n-select-03": "fr/Generic",  # a reader's own language, if Generic can say it
    "i18n-select-11": "fr/SignIn",  # fr-CA falls back to fr
    "i18n-select-13": "fr-CA/SignIn",  # case does not matter
    "i18n-select-17": "de/SignIn",  # a mail in another language beats none
    "i18n-select-19": "fr/SignIn",  # a list of locales is a list
}


def test_language_choice_is_logtos(vectors):
    """The captured choices by language, with our documented differences."""
    for case in vectors("logto/i18n_template_selection")["cases"]:
        templates = [template(row["name"], row["language_tag"], usage_type=row["template_type"]) for row in case["stored"]]
        locales = (case["request"]["locale"] or "").split()
        expected = DIFFERENT.get(case["id"], case["expected"])
        if expected is None:
            with pytest.raises(TemplateError):
                choose(templates, case["request"]["template_type"], locales, case["default_language"])
        else:
            assert choose(templates, case["request"]["template_type"], locales, case["default_language"]) == expected, case[
                "label"
            ]


ALL = [template("en/SignIn", "en"), template("fr/SignIn", "fr"), template("any/SignIn"), template("de/Generic", "de")]


@pytest.mark.parametrize(
    ("locales", "default_locale", "expected"),
    [
        (["fr-CA"], None, "fr/SignIn"),
        (["de"], None, "any/SignIn"),  # a template for every language serves a German reader too
        (["-x", "fr"], None, "fr/SignIn"),  # what is left of a broken tag is not "no language"
        (["ja"], "en-GB", "any/SignIn"),  # and comes before the host's language
        ([], None, "any/SignIn"),
        (["xx", "fr"], None, "fr/SignIn"),
    ],
)
def test_order_within_a_type(locales, default_locale, expected):
    """The reader's languages, then the host's, then a template for every language."""
    assert choose(ALL, "SignIn", locales, default_locale) == expected


EN_FR = [template("en/Generic", "en"), template("fr/SignIn", "fr"), template("fr/Generic", "fr")]


@pytest.mark.parametrize(
    ("locales", "default_locale", "expected"),
    [
        (["en"], "en", "en/Generic"),  # the reader's own language in Generic before another one of the very type
        (["en-GB"], None, "en/Generic"),
        (["fr"], "en", "fr/SignIn"),
        (["ja"], "en", "en/Generic"),
        (["ja"], None, "fr/SignIn"),
        (["ja", "en", "fr"], None, "fr/SignIn"),  # of languages that one reads, the type decides
    ],
)
def test_nobody_gets_another_language_while_there_is_theirs(locales, default_locale, expected):
    """Type and Generic in the reader's languages, then in the host's, then the first there is."""
    assert choose(EN_FR, "SignIn", locales, default_locale) == expected


def test_generic_in_the_readers_language_serves_only_what_it_can_say():
    """A link in another language beats a code that is not there."""
    templates = [template("en/Generic", "en"), template("fr/Join", "fr", "{{link}}", "Join")]
    assert choose(templates, "Join", ["en"], payload={"link": "https://x"}) == "fr/Join"


def test_first_there_is_when_nothing_fits():
    """A mail in a language the reader may not know is better than no sign-in."""
    assert choose([template("en/SignIn", "en"), template("fr/SignIn", "fr")], "SignIn", ["ja"]) == "en/SignIn"


def test_the_earlier_source_wins_within_a_language():
    """Of two templates for the same type and language the first is taken."""
    assert choose([template("host/SignIn", "fr"), template("config/SignIn", "FR")], "SignIn", ["fr"]) == "host/SignIn"


def test_generic_serves_only_what_it_can_say():
    """Generic stands in for another type only if the payload has its code or link."""
    generic = [template("Generic", content="{{code}}")]
    assert choose(generic, "BindMfa") == "Generic"
    with pytest.raises(TemplateError, match="Generic one needs code"):
        choose(generic, "OrganizationInvitation", payload={"link": "https://x"})


@pytest.mark.parametrize("payload", [{}, {"code": None}, {"code": ""}, {"code": "  "}, {"code": []}])
def test_a_code_must_say_something(payload):
    """Absent, null, blank and empty codes are all no code."""
    assert missing_vital(template("SignIn"), payload) == ["code"]
