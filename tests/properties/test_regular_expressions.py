"""Every regular expression of the project is linear: with twice the input it takes twice the time, and not four times."""

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import authmail
from authmail.config.settings import fields_of, nested_settings

PACKAGES = ["authmail", *sorted(path.name for path in (Path(__file__).parents[2] / "connectors").glob("authmail_*"))]
SHORT = 1_000
LONGEST = 16_000
#: Seconds below which a clock tells noise; and how long one try may take at most.
FLOOR, ENOUGH = 0.004, 0.5
RATIO = 3
#: What texts are made of that people and providers write.
ALPHABET = [" ", "\t", "\n", "a", "A", "0", "1", ".", "-", "_", ":", "/", "@", "<", ">", "&", "%", "#", "=", '"', "'", "(", "[", "{", "\\", "é", "你", "\u200b"]


def modules():
    """Yield every module of core and connectors, private ones too."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def within(value, depth=4):
    """Yield the patterns that a value holds, in lists, objects, and attributes of classes and rows."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, Mapping):
        for item in value.values():
            yield from within(item, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from within(item, depth - 1)
    elif depth and hasattr(type(value), "__attrs_attrs__"):
        for field in type(value).__attrs_attrs__:
            yield from within(getattr(value, field.name, None), depth - 1)
    elif depth and isinstance(value, type) and value.__module__.startswith("authmail"):
        for item in vars(value).values():
            yield from within(item, depth - 1)


def in_code(module):
    """Yield the patterns that stand in calls: ``re.fullmatch("…", text)``."""
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes) and node.func.attr != "escape":
                yield re.compile(first.value)


def of_settings(cls):
    """Yield the patterns of a settings class."""
    for _, field, spec in fields_of(cls):
        if spec.pattern:
            yield re.compile(spec.pattern)
        if (nested := nested_settings(field.type)) is not None:
            yield from of_settings(nested)


def all_patterns():
    """Return every pattern with the module where it was found first."""
    found = {}
    for module in modules():
        for value in [*vars(module).values()]:
            for pattern in within(value):
                found.setdefault((pattern.pattern, pattern.flags), (pattern, module.__name__))
        for pattern in in_code(module):
            found.setdefault((pattern.pattern, pattern.flags), (pattern, module.__name__))
    for identity in authmail.connector_ids():
        settings = authmail.get_connector(identity).metadata.settings
        for pattern in of_settings(settings):
            found.setdefault((pattern.pattern, pattern.flags), (pattern, identity))
    return list(found.values())


PATTERNS = all_patterns()


def pieces_of(pattern):
    """Return what is repeated against a pattern: its own literal pieces, single characters, and pairs of them."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    literals = re.findall(r"[A-Za-z0-9]+|[^\\()\[\]{}|*+?^$A-Za-z0-9]+", text)[:12]
    characters = [*dict.fromkeys([*ALPHABET, *(one for literal in literals for one in literal[:3])])][:48]
    joined = "".join(literals)[:40]
    return [*dict.fromkeys([*characters, *literals, joined, *(f"{one} " for one in literals), "a.", "a@", "<a", "a=", "0.", "://"])]


def inputs(pattern, size):
    """Yield texts of a size: each piece again and again, alone, after a beginning that fits, and with an end that does not."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    beginnings = ["", *(re.findall(r"[A-Za-z0-9<&@:/%{=]+", text)[:2])]
    for piece in pieces_of(pattern):
        for beginning in beginnings:
            yield beginning + piece * (size // max(len(piece), 1)) + "\x00!"


def seconds(pattern, text):
    """Return how long a pattern takes with a text, in the ways in which it may be asked."""
    subject = text if isinstance(pattern.pattern, str) else text.encode("utf-8")
    before = time.process_time()
    for _ in pattern.finditer(subject):
        pass
    pattern.fullmatch(subject)
    return time.process_time() - before


def growth(pattern, make):
    """Return how much longer twice the input takes, of the least of three tries; 0 where it is too quick to tell."""
    size = SHORT
    while size < LONGEST and seconds(pattern, make(size)) < FLOOR:
        size *= 2
    short = min(seconds(pattern, make(size)) for _ in range(3))
    if short < FLOOR:
        return 0.0
    return min(seconds(pattern, make(2 * size)) for _ in range(3)) / short


def grows(pattern):
    """Return the inputs for which a pattern is not linear, each with its ratio."""
    slow = []
    for number, text in enumerate(inputs(pattern, LONGEST)):
        if seconds(pattern, text[: LONGEST // 4]) < FLOOR / 4 and seconds(pattern, text) < FLOOR:
            continue

        def make(size, number=number):
            return next(one for place, one in enumerate(inputs(pattern, size)) if place == number)

        ratio = growth(pattern, make)
        if ratio >= RATIO:
            slow.append((text[:30], round(ratio, 1)))
            break
    return slow


def test_there_are_patterns_of_every_part():
    """The walk finds those of core and of each connector; else what follows would prove little."""
    assert len(PATTERNS) > 60
    assert {name.partition(".")[0] for _, name in PATTERNS} >= {"authmail", "authmail_smtp", "authmail_aliyun_dm"}


def test_a_slow_pattern_is_found():
    """Nested repetition, a search that begins anew everywhere, and two runs that may share what they take."""
    for slow in (r"\s+$", r"<[^>]*>", r"[a-z]+@", r"a*a*b"):
        assert grows(re.compile(slow)), slow


@pytest.mark.parametrize(("pattern", "where"), PATTERNS, ids=lambda value: value if isinstance(value, str) else "")
def test_it_is_linear(pattern, where):
    """Whatever is repeated against it."""
    assert grows(pattern) == [], f"{where}: {pattern.pattern[:200]!r}"
