"""Every text for people has its translations, and the values that it names are in each of them."""

import ast
import json
import string
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest
from source_texts import texts_in

import authmail
from authmail import AccountError, ConfigError, Meaning, Problem, Reason, say
from authmail.words.catalogs import LANGUAGES, add_words
from authmail.words.text import in_language

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "authmail"
#: Rooms whose texts are for developers, or are translated elsewhere.
ELSEWHERE = ("sandbox", "testing", "web")
PACKAGES = {point.module for point in entry_points(group="authmail.connectors") if point.dist.name == "authmail"}
#: Words that are values of other texts: kinds of JSON values, steps of a dialogue.
KINDS = {"a text", "text", "a number", "a whole number", "an object", "a list", "true or false", "null", "another text"}


def source_texts():
    """Return catalog → English texts."""
    core = {file for file in CORE.rglob("*.py") if file.relative_to(CORE).parts[0] not in ELSEWHERE}
    found = {"core": {text for file in core for text in texts_in(file)} | KINDS}
    for package in PACKAGES:
        modules = [file for file in (ROOT / "connectors" / package).rglob("*.py") if not file.stem.startswith("emulator")]
        found[package.removeprefix("authmail_")] = {text for file in modules for text in texts_in(file)} - found["core"]
    return found


SOURCE = source_texts()
#: Every text of the code, whatever it is for.
WRITTEN = {
    node.value
    for folder in (CORE, *(ROOT / "connectors" / package for package in PACKAGES))
    for file in folder.rglob("*.py")
    for node in ast.walk(ast.parse(file.read_text("utf-8")))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
} | {text for texts in SOURCE.values() for text in texts}


def catalog(name, language):
    return json.loads((files("authmail_metadata") / name / f"words.{language}.json").read_text("utf-8"))


def names_in(text):
    return sorted(f"{name}:{spec}" for _, name, spec, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(SOURCE))
def test_every_text_is_translated(name, language):
    """None is missing, none is left over from a text that is gone, and each names the same values."""
    words = catalog(name, language)
    assert sorted(SOURCE[name] - set(words)) == []
    assert [text for text, translated in words.items() if names_in(text) != names_in(translated)] == []
    assert [text for text, translated in words.items() if not translated.strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_of_a_text_that_is_gone(language):
    """Each stands somewhere in the code, or is the label, help or choice of a setting."""
    settings = {part for name in authmail.connector_ids() for item in authmail.get_connector(name).form_items
                for part in (item.label, item.description, *(choice["title"] for choice in item.select_items))}  # fmt: skip
    for name in SOURCE:
        assert sorted(set(catalog(name, language)) - WRITTEN - settings) == []


def test_a_hint_is_told_in_the_readers_language():
    """English is what it is; a reader of a language that there is not gets English too."""
    error = AccountError(say("{host} did not answer in time", host="mail.example.com"))
    assert error.hint == "mail.example.com did not answer in time"
    assert error.hint_in("en") == error.hint_in("de") == error.hint
    assert "mail.example.com" in error.hint_in("fr-CA")
    assert error.hint_in("fr-CA") != error.hint != error.hint_in("zh")
    assert (error.hint.key, error.hint.values) == ("{host} did not answer in time", {"host": "mail.example.com"})
    assert error.outcome_in("fr") != "account"
    assert error.consequence_in("zh-CN") != error.consequence


def test_a_problem_is_told_in_the_readers_language():
    """Message and hint, alone and in a line; a setting's help too."""
    with pytest.raises(ConfigError) as caught:
        authmail.get_connector("aliyun-dm").validate_config({"regionId": "cn-hangzhou"})
    problem = caught.value.problems[0]
    assert str(problem) == f"accessKeyId: {problem.message} ({problem.hint})"
    assert problem.message_in("fr") != problem.message
    assert problem.hint_in("fr") != problem.hint
    assert problem.text_in("fr") in caught.value.text_in("fr")
    assert caught.value.text_in("en") == str(caught.value)


def test_words_within_words_are_translated_too():
    """What stands for a name may be a text itself."""
    outer = say("{first}; asked once more: {second}", first=say("is required"), second="plain")
    assert outer == "is required; asked once more: plain"
    assert in_language("is required", "fr") in outer.in_language("fr")


def test_a_connector_brings_its_own_words_and_changes_nobodys():
    """What is translated already stays; broken words are English."""
    add_words("acme-mail", lambda language: {"Acme is asleep": f"Acme dort ({language})", "is required": "hacked", "{a}": "{b}"})
    assert in_language("Acme is asleep", "fr") == "Acme dort (fr)"
    assert in_language("is required", "fr") != "hacked"
    assert say("{a}", a="x").in_language("fr") == "x"
    add_words("acme-mail", lambda _: {})


def test_a_table_row_has_fixed_words():
    """So no password that is the same word is struck from them; what was filled in is."""
    assert Meaning(AccountError, Reason.CREDENTIALS, "user or password is wrong").hint.values == {}
    assert Problem("a", "b").message.values is None
    assert say("{name} is wrong", name="hunter2").change(lambda text: text.replace("hunter2", "***").upper()) == "*** is wrong"
