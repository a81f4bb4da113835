"""Reading a config: strictly, with every problem at once, each naming its setting."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from authmail.config.settings import fields_of, holds_templates, is_required
from authmail.errors import ConfigError, Problem
from authmail.testing.case import TEMPLATES, Case
from authmail.testing.rules.rule import Rule

_SHORTEST_SECRET = 8
# Of every kind that JSON has; a setting takes some of them.
_WRONG: tuple[Any, ...] = ({"an": "object"}, ["a list"], 3.5, True, "\ud800")


async def valid(case: Case) -> AsyncIterator[str]:
    """Validate it."""
    problems = _problems(case, case.config)
    for problem in problems:
        yield str(problem)
    if not problems and any(len(secret) < _SHORTEST_SECRET for secret in case.secrets):
        yield "a secret is too short to be looked for"


async def typed(case: Case) -> AsyncIterator[str]:
    """Look at the type."""
    config = case.connector.validate_config(case.config, templates=TEMPLATES)
    if not isinstance(config, case.settings):
        yield f"it returned {type(config).__name__}"


async def required(case: Case) -> AsyncIterator[str]:
    """Leave out one after the other."""
    for key, field, _ in fields_of(case.settings):
        if is_required(field):
            problems = _problems(case, {name: value for name, value in case.config.items() if name != key})
            if not any(_is_about(problem, key) for problem in problems):
                yield f"without {key}: {_tell(problems)}"


async def optional(case: Case) -> AsyncIterator[str]:
    """Set one after the other to null."""
    for key, field, _ in fields_of(case.settings):
        if not is_required(field) and key not in case.config and (problems := _problems(case, {**case.config, key: None})):
            yield f"{key} as null: {_tell(problems)}"


async def types(case: Case) -> AsyncIterator[str]:
    """Try values of every type."""
    for item in case.connector.form_items:
        refused = 0
        for value in _WRONG:
            problems = _problems(case, {**case.config, item.key: value})
            refused += bool(problems)
            if problems and not any(_is_about(problem, item.key) for problem in problems):
                yield f"{item.key} as {type(value).__name__}: {_tell(problems)}"
        if not refused:
            yield f"{item.key} takes anything"


async def together(case: Case) -> AsyncIterator[str]:
    """Make every setting wrong."""
    keys = [item.key for item in case.connector.form_items]
    problems = _problems(case, {key: {"an": "object"} for key in keys})
    named = [key for key in keys if any(_is_about(problem, key) for problem in problems)]
    alone = [key for key in keys if _problems(case, {**case.config, key: {"an": "object"}})]
    if named != alone:
        yield f"with every setting wrong, only {', '.join(named) or 'none'} of {', '.join(alone)} are named"


async def unknown_keys(case: Case) -> AsyncIterator[str]:
    """Add one."""
    config = {**case.config, "aKeyThatIsNone": 1}
    if problems := _problems(case, config):
        yield _tell(problems)


async def unchanged(case: Case) -> AsyncIterator[str]:
    """Compare."""
    config = case.config
    _problems(case, config)
    if config != case.config:
        yield f"before {sorted(case.config)}, after {sorted(config)}"


async def destination(case: Case) -> AsyncIterator[str]:
    """Look at the settings that config_for changes."""
    marked = {key for key, _, spec in fields_of(case.settings) if spec.destination}
    if case.secrets and not marked & set(case.config_for("https://example.com")):
        yield f"none of {', '.join(case.config_for('https://example.com'))} is marked"


async def endpoint(case: Case) -> AsyncIterator[str]:
    """Look for it."""
    keys = [key for key, _, _ in fields_of(case.settings)]
    if "endpoint" not in keys:
        yield f"there are {', '.join(keys)}"


async def line_breaks(case: Case) -> AsyncIterator[str]:
    """Try one in each text; secrets apart, which the transport refuses in headers."""
    for item in case.connector.form_items:
        if item.type == "Text" and not item.is_confidential:
            for value in {case.config.get(item.key), item.placeholder} - {None, ""}:
                if not _problems(case, {**case.config, item.key: f"{value}\r\nX-Injected: yes"}):
                    yield f"{item.key} takes them"
                    break


async def hidden(case: Case) -> AsyncIterator[str]:
    """Look for the secrets wherever a config is shown."""
    config = case.connector.validate_config(case.config, templates=TEMPLATES)
    shown = {"repr": repr(config), "str": str(config), "redacted": json.dumps(case.connector.redacted(case.config))}
    shown["warnings"] = repr(case.connector.warnings(case.config))
    for item in case.connector.form_items:
        for secret in case.secrets:
            for value in (f"{secret}\n", [secret], f"{secret}\x00é"):
                problems = _problems(case, {**case.config, item.key: value})
                shown[f"problems with {item.key}"] = shown.get(f"problems with {item.key}", "") + repr(problems)
    for where, text in shown.items():
        if any(secret in text for secret in case.secrets):
            yield f"{where} shows a secret"


def _problems(case: Case, config: Mapping[str, Any]) -> list[Problem]:
    holds = any(holds_templates(field.type) and config.get(key) for key, field, _ in fields_of(case.settings))
    try:
        case.connector.validate_config(config, templates=() if holds else TEMPLATES)
    except ConfigError as error:
        return error.problems
    return []


def _is_about(problem: Problem, key: str) -> bool:
    return problem.path.partition(".")[0].partition("[")[0] == key


def _tell(problems: list[Problem]) -> str:
    return "; ".join(str(problem) for problem in problems) or "it is accepted"


RULES = (
    Rule(
        "config.valid",
        "The config of the test class is valid, and its secrets can be told from other text.",
        "Correct the config; make each secret at least 8 characters long, such as key-canary-1.",
        valid,
        basic=True,
    ),
    Rule(
        "config.typed",
        "validate_config returns an object of the settings class.",
        "Return SettingsClass.from_dict(config).",
        typed,
    ),
    Rule(
        "config.required",
        "Without a required setting the config is refused, and the problem names it.",
        "Give it no default; let from_dict find what is missing.",
        required,
    ),
    Rule(
        "config.optional",
        "A null for an optional setting is the same as leaving it out.",
        "Let from_dict read the config; it does so.",
        optional,
    ),
    Rule(
        "config.types",
        "A value of the wrong type is refused, and the problem names its setting; nothing is guessed or crashes.",
        "Type the settings and let from_dict read them; a check of your own raises ValueError on a bad value only.",
        types,
    ),
    Rule(
        "config.together",
        "All problems are reported at once, in the order of the settings.",
        "Don't stop at the first one; from_dict gathers them.",
        together,
    ),
    Rule(
        "config.unknown-keys",
        "An unknown key is a warning, no problem: a config may have been written for a newer or older version.",
        "Let from_dict read the config; warnings name the key and the nearest one by themselves.",
        unknown_keys,
    ),
    Rule(
        "config.unchanged",
        "validate_config leaves the config as it was: the host keeps it.",
        "Make a copy before you change anything.",
        unchanged,
    ),
    Rule(
        "config.destination",
        "The setting that decides where secrets are sent is marked: a change of it asks for them again.",
        "Give setting(…, destination=True) to the endpoint or host.",
        destination,
    ),
    Rule(
        "config.endpoint",
        "There is a setting `endpoint`: for regional, private and test hosts.",
        'endpoint: str | None = setting("Endpoint", default=None, destination=True, check=checks.endpoint)',
        endpoint,
        kinds=("http",),
    ),
    Rule(
        "config.line-breaks",
        "A setting of one line takes no line breaks: they would add headers to the mail.",
        "Give setting(…, check=checks.printable), or one_mailbox, one_address.",
        line_breaks,
    ),
    Rule(
        "privacy.config",
        "A config shows no secret: not in its texts, its redacted form, its problems or warnings.",
        "Use the type Secret; name in problems the setting and what was expected, never the value.",
        hidden,
    ),
)
