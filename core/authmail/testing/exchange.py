"""Recorded exchanges: what a connector must send for a message, what the provider answers, and what must come of it.

One JSON file each::

    {
      "why": "Accepted with 202 and an id",
      "config": {"fromName": "Acme"},
      "email": {"to": "zoe@example.com", "subject": "Your code", "text": "482913"},
      "request": {"method": "POST", "path": "/send", "headers": {"authorization": "Bearer <any>"}, "json": {}},
      "answer": {"status": 202, "json": {"id": "m-1"}},
      "outcome": {"type": "Receipt", "message_id": "m-1"}
    }

Instead of ``email`` there may be ``message``, Logto's JSON, which is rendered from ``templates`` of the file, else of the
config. A provider that is asked several times has ``steps``, a list of request and answer. Anywhere in an expected text
``<any>`` stands for what differs each time, and ``<like REGEX>``, as the whole text, for what has a certain form. Numbers
are compared by value: 3 is 3.0.

Over SMTP there are ``dialogue``, see :mod:`authmail.testing.dialogue`, and ``mail``: the ``headers`` that matter, ``text``
and ``html`` of the mail that must come.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from authmail import outcomes
from authmail.mail.email import Email
from authmail.mail.message import Message
from authmail.outcomes import Receipt, SendError
from authmail.templates.template import Template
from authmail.testing import fault_server
from authmail.testing.wire import Request

_KEYS = {"why", "config", "message", "email", "templates", "request", "answer", "steps", "dialogue", "mail", "outcome"}
_EMAIL_KEYS = {
    "to",
    "subject",
    "html",
    "text",
    "sender",
    "replyTo",
    "headers",
    "idempotencyKey",
    "repeatable",
    "usageType",
    "textIsOwn",
}
_REQUEST_KEYS = {"method", "path", "headers", "json", "form", "body"}
_ANSWER_KEYS = {"status", "headers", "json", "body"}
#: What may be instead of an answer.
MISHAPS = ("cut", "silence")

_LIKE = re.compile(r"<like (?P<pattern>.*)>", re.DOTALL)
_ABSENT = object()


@attrs.frozen
class Answer(fault_server.Answer):
    """What a provider answers.

    Args:
        mishap: ``cut`` or ``silence`` instead of an answer, after the request.
    """

    mishap: str = ""


@attrs.frozen
class Step:
    """A request that is expected, and its answer."""

    request: Mapping[str, Any]
    answer: Answer


@attrs.frozen
class Exchange:
    """One recorded exchange; the module explains the file."""

    name: str
    why: str
    mail: Message | Email
    outcome: Mapping[str, Any]
    steps: tuple[Step, ...] = ()
    config: Mapping[str, Any] = attrs.field(factory=dict)
    templates: tuple[Template, ...] = ()
    dialogue: tuple[str, ...] = ()
    expected_mail: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def is_silent(self) -> bool:
        """Whether the provider does not answer at some point, so that time must run out."""
        return any(step.answer.mishap == "silence" for step in self.steps) or "S: <silence>" in self.dialogue

    @property
    def kind(self) -> type[Receipt] | type[SendError]:
        """The type of the outcome."""
        return _outcome_type(self.outcome)


def read(file: Path) -> Exchange:
    """Read a file.

    Raises:
        ValueError: what is wrong with it, and where.
    """
    try:
        data = json.loads(file.read_text("utf-8"))
        return _exchange(file.stem, data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file.name}: {type(error).__name__}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None


def read_folder(folder: Path) -> tuple[Exchange, ...]:
    """Read every ``.json`` file of a folder.

    Raises:
        ValueError: one cannot be read.
    """
    return tuple(read(file) for file in sorted(folder.glob("*.json")))


def _exchange(name: str, data: Any) -> Exchange:
    _known(data, _KEYS, "the exchange")
    if not data.get("why"):
        raise ValueError('"why" is missing: say in a sentence what the exchange shows')
    if ("message" in data) == ("email" in data):
        raise ValueError('it needs either "message" or "email"')
    steps = data.get("steps", [data] if "request" in data else [])
    if bool(steps) == ("dialogue" in data):
        raise ValueError('it needs "request" and "answer", or "steps", or "dialogue"')
    _outcome_type(data["outcome"])
    return Exchange(
        name=name,
        why=data["why"],
        mail=Message.from_dict(data["message"]) if "message" in data else _email(data["email"]),
        outcome=data["outcome"],
        steps=tuple(Step(_known(step["request"], _REQUEST_KEYS, "request"), _answer(step["answer"])) for step in steps),
        config=data.get("config", {}),
        templates=tuple(Template.from_dict(template) for template in data.get("templates", ())),
        dialogue=tuple(data.get("dialogue", ())),
        expected_mail=data.get("mail", {}),
    )


def _known(data: Any, keys: set[str], what: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{what} must be an object")
    unknown = sorted(set(data) - keys)
    if unknown:
        raise ValueError(f"{what} has the unknown key {unknown[0]!r}; there are {', '.join(sorted(keys))}")
    return data


def _email(data: Any) -> Email:
    _known(data, _EMAIL_KEYS, "email")
    given = {re.sub("([A-Z])", lambda match: f"_{match[1].lower()}", key): value for key, value in data.items()}
    if "sender" in given:
        sender = _known(given.pop("sender"), {"name", "address"}, "email.sender")
        given |= {"from_name": sender.get("name", ""), "from_address": sender.get("address")}
    return Email(**given)


def _answer(data: Any) -> Answer:
    if isinstance(data, str):
        if data not in MISHAPS:
            raise ValueError(f"answer must be an object or one of {', '.join(MISHAPS)}")
        return Answer(mishap=data)
    _known(data, _ANSWER_KEYS, "answer")
    headers = dict(data.get("headers", {}))
    body = data.get("body", "").encode()
    if "json" in data:
        body = json.dumps(data["json"], ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"} | headers
    return Answer(data["status"], headers, body)


def _outcome_type(outcome: Mapping[str, Any]) -> type[Receipt] | type[SendError]:
    kind = getattr(outcomes, str(outcome.get("type")), None)
    if not isinstance(kind, type) or not issubclass(kind, Receipt | SendError):
        raise ValueError(f"outcome.type must be Receipt or a kind of SendError, not {outcome.get('type')!r}")
    return kind


# Comparing.


def request_differences(expected: Mapping[str, Any], seen: Request) -> Iterator[str]:
    """Yield where a request is not as expected: method, path and body whole, and the headers that are named."""
    yield from differences(expected.get("method", "POST"), seen.method, "method")
    yield from differences(expected.get("path", "/"), seen.path, "path")
    for name, value in expected.get("headers", {}).items():
        yield from differences(value, seen.headers.get(name.lower()), f"headers.{name}")
    if "form" in expected:
        fields = dict(seen.content) if isinstance(seen.content, list) and seen.kind.endswith("form-urlencoded") else seen.content
        yield from differences(expected["form"], fields, "form")
    elif "json" in expected:
        yield from differences(expected["json"], seen.content, "json")
    else:
        yield from differences(expected.get("body", ""), seen.body.decode("utf-8", "replace"), "body")


def outcome_differences(expected: Mapping[str, Any], seen: object) -> Iterator[str]:
    """Yield where an outcome is not as expected: its type, and the attributes that are named."""
    if not isinstance(seen, _outcome_type(expected)):
        yield f"type: expected {expected['type']}, got {type(seen).__name__}: {seen}"
        return
    for name, value in expected.items():
        if name != "type":
            got = getattr(seen, name, _ABSENT)
            yield from differences(value, str(got) if isinstance(value, str) and got is not None else got, name)


def differences(expected: Any, seen: Any, path: str) -> Iterator[str]:
    """Yield where a value is not as expected, with its path, as far as it goes down."""
    if isinstance(expected, Mapping) and isinstance(seen, Mapping):
        yield from _object_differences(expected, seen, path)
    elif _is_list(expected) and _is_list(seen):
        yield from _list_differences(expected, seen, path)
    elif not fits(expected, seen):
        yield f"{path}: expected {expected!r}, got {'nothing' if seen is _ABSENT or seen is None else repr(seen)}"


def _object_differences(expected: Mapping[Any, Any], seen: Mapping[Any, Any], path: str) -> Iterator[str]:
    for key in [*expected, *(key for key in seen if key not in expected)]:
        here = f"{path}.{key}"
        if key not in seen:
            yield f"{here}: missing, expected {expected[key]!r}"
        elif key not in expected:
            yield f"{here}: not expected, got {seen[key]!r}"
        else:
            yield from differences(expected[key], seen[key], here)


def _list_differences(expected: Sequence[Any], seen: Sequence[Any], path: str) -> Iterator[str]:
    if len(expected) != len(seen):
        yield f"{path}: expected {len(expected)} items, got {len(seen)}: {list(seen)!r}"
    for index, (one, other) in enumerate(zip(expected, seen, strict=False)):
        yield from differences(one, other, f"{path}[{index}]")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def fits(expected: Any, seen: Any) -> bool:
    """Whether a value is the expected one, or of the expected form."""
    if isinstance(expected, str) and isinstance(seen, str) and "<" in expected:
        like = _LIKE.fullmatch(expected)
        pattern = like["pattern"] if like else ".+".join(map(re.escape, expected.split("<any>")))
        return re.fullmatch(pattern, seen, re.DOTALL) is not None
    comparable = type(expected) is type(seen) or (_is_number(expected) and _is_number(seen))
    return comparable and bool(expected == seen)


def _is_number(value: Any) -> bool:
    """Whether a value is what JSON calls a number: 3 and 3.0 are the same one, and true is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
