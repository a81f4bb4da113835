"""Every regular expression of the project is linear: with twice the input it takes twice the time, and not four times."""

import ast
import importlib
import pkgutil
import re
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import django_project
import pytest

import authmail
from authmail.config.settings import fields_of, nested_settings

PACKAGES = ["authmail", *sorted(path.name for path in (Path(__file__).parents[2] / "connectors").glob("authmail_*"))]
#: Characters of what is tried first, and of the longest.
SHORT, LONGEST = 4_000, 16_000
#: Seconds below which a pattern is quick enough with the short one, and below which a clock tells noise.
QUICK, FLOOR = 0.002, 0.004
RATIO = 3
#: What texts are made of that people and providers write.
ALPHABET = [
    " ",
    "\t",
    "\n",
    "a",
    "A",
    "0",
    "1",
    ".",
    "-",
    "_",
    ":",
    "/",
    "@",
    "<",
    ">",
    "&",
    "%",
    "#",
    "=",
    '"',
    "'",
    "(",
    "[",
    "{",
    "\\",
    "é",
    "你",
    "\u200b",
]


def modules():
    """Yield every module of core and connectors, private ones too."""
    django_project.configure()
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
    """Yield the patterns that stand in calls, ``re.fullmatch("…", text)``, each with how it is asked."""
    for node in ast.walk(ast.parse(SOURCES[module.__name__])):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and getattr(node.func.value, "id", "") == "re"
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes) and node.func.attr in WAYS:
                yield re.compile(first.value), {WAYS[node.func.attr]}


def ways_of(name, module):
    """Return how a module asks a pattern by its name; by another one, in any of the ways in which it asks something."""
    asked = re.findall(rf"\b(?!re\.)(\w+)\.({'|'.join(WAYS)})\(", SOURCES[module.__name__])
    own = {WAYS[way] for asker, way in asked if asker == name}
    return own or (
        {WAYS[way] for asker, way in asked if not asker.startswith("_")} if f"{name} = " in SOURCES[module.__name__] else set()
    )


def of_settings(cls):
    """Yield the patterns of a settings class."""
    for _, field, spec in fields_of(cls):
        if spec.pattern:
            yield re.compile(spec.pattern)
        if (nested := nested_settings(field.type)) is not None:
            yield from of_settings(nested)


def all_patterns():
    """Return every pattern with how it is asked, and the module where it was found first."""
    found = {}

    def add(pattern, ways, where):
        found.setdefault((pattern.pattern, pattern.flags), (pattern, set(), where))[1].update(ways)

    for module in MODULES:
        for name, value in list(vars(module).items()):
            for pattern in within(value):
                add(pattern, ways_of(name, module) if pattern is value else {"finditer"}, module.__name__)
        for pattern, ways in in_code(module):
            add(pattern, ways, module.__name__)
    for identity in authmail.connector_ids():
        for pattern in of_settings(authmail.get_connector(identity).metadata.settings):
            add(pattern, {"fullmatch"}, identity)
    # Of those that nobody asks by name, the hardest is assumed.
    return [(pattern, ways or {"finditer"}, where) for pattern, ways, where in found.values()]


#: How a pattern can be asked, and which of three ways that is: everywhere, at the beginning, of the whole.
WAYS = {
    **dict.fromkeys(["search", "finditer", "findall", "sub", "subn", "split"], "finditer"),
    "match": "match",
    "fullmatch": "fullmatch",
}
MODULES = list(modules())
SOURCES = {module.__name__: Path(module.__file__).read_text("utf-8") for module in MODULES}
PATTERNS = all_patterns()


def pieces_of(pattern):
    """Return what is repeated against a pattern: its own literal pieces, single characters, and pairs of them."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    literals = re.findall(r"[A-Za-z0-9]+|[^\\()\[\]{}|*+?^$A-Za-z0-9]+", text)[:12]
    characters = [*dict.fromkeys([*ALPHABET, *(one for literal in literals for one in literal[:3])])][:48]
    joined = "".join(literals)[:40]
    return [
        *dict.fromkeys([*characters, *literals, joined, *(f"{one} " for one in literals), "a.", "a@", "<a", "a=", "0.", "://"])
    ]


def inputs(pattern, size):
    """Yield texts of a size: each piece again and again, alone, after a beginning that fits, and with an end that does not."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    beginnings = ["", *(re.findall(r"[A-Za-z0-9<&@:/%{=]+", text)[:2])]
    for piece in pieces_of(pattern):
        for beginning in beginnings:
            yield beginning + piece * (size // max(len(piece), 1)) + "\x00!"


def seconds(pattern, ways, text):
    """Return how long a pattern takes with a text, in the ways in which it is asked."""
    subject = text if isinstance(pattern.pattern, str) else text.encode("utf-8")
    before = time.process_time()
    for way in ways:
        answer = getattr(pattern, way)(subject)
        if way == "finditer":
            deque(answer, maxlen=0)
    return time.process_time() - before


def growth(pattern, ways, make):
    """Return how much longer twice the input takes, of the least of three tries; 0 where it is too quick to tell."""
    size = SHORT
    while size < LONGEST and seconds(pattern, ways, make(size)) < FLOOR:
        size *= 2
    short = min(seconds(pattern, ways, make(size)) for _ in range(3))
    if short < FLOOR:
        return 0.0
    return min(seconds(pattern, ways, make(2 * size)) for _ in range(3)) / short


def grows(pattern, ways):
    """Return the inputs for which a pattern is not linear, each with its ratio."""
    slow = []
    for number, text in enumerate(inputs(pattern, SHORT)):
        if seconds(pattern, ways, text) < QUICK:
            continue

        def make(size, number=number):
            return next(one for place, one in enumerate(inputs(pattern, size)) if place == number)

        ratio = growth(pattern, ways, make)
        if ratio >= RATIO:
            slow.append((text[:30], round(ratio, 1)))
            break
    return slow


def test_there_are_patterns_of_every_part():
    """The walk finds those of core and of each connector; else what follows would prove little."""
    assert len(PATTERNS) > 60
    assert {name.partition(".")[0] for _, _, name in PATTERNS} >= {"authmail", "authmail_smtp", "authmail_aliyun_dm"}


def test_a_slow_pattern_is_found():
    """A search that begins anew everywhere and runs to the end each time."""
    for slow in (r"\s+$", r"<[^>]*>", r"[a-z]+@"):
        assert grows(re.compile(slow), {"finditer"}), slow


@pytest.mark.parametrize(("pattern", "ways", "where"), PATTERNS, ids=lambda value: value if isinstance(value, str) else "")
def test_it_is_linear(pattern, ways, where):
    """Whatever is repeated against it."""
    assert grows(pattern, ways) == [], f"{where}, {ways}: {pattern.pattern[:200]!r}"
