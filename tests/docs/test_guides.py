"""The guides of connectors say the same in every language."""

import re
from pathlib import Path

import pytest

METADATA = Path(__file__).parents[2] / "metadata" / "authmail_metadata"
TRANSLATIONS = sorted(METADATA.glob("*/README.*.md"))


def shape(guide):
    """What does not depend on the language: kinds of headings, first cells that are code, code within sentences."""
    text = guide.read_text("utf-8")
    headings = [(marks, number) for marks, number in re.findall(r"^(#+) (\d+)?", text, re.MULTILINE)]
    cells = [re.findall(r"`[^`]+`", cell) for cell in re.findall(r"^ *\| ([^|]+) \|", text, re.MULTILINE)]
    commands = [words.split(" --l")[0] for words in re.findall(r"^\$ (authmail \S+)", text, re.MULTILINE)]
    return headings, cells, commands, len(re.findall(r"^ *\|", text, re.MULTILINE))


@pytest.mark.parametrize("translation", TRANSLATIONS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_translation_is_complete(translation):
    """The same sections, tables, settings, codes and commands, in the same order, as in English."""
    assert shape(translation) == shape(translation.with_name("README.md"))
