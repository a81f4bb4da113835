"""What a provider's answer means: the order of judgement, once, for every connector; what differs is data."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, overload

import attrs

from authmail.connect.repeat import Repeat
from authmail.connect.spoken import Spoken, meaning_of_words
from authmail.http.reply import Reply, meaning_of_status
from authmail.outcomes import Meaning, MessageRejected, OutcomeUnknown, Reason, Receipt, SendError
from authmail.privacy import hide_fields
from authmail.words.text import say

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
# More digits than any id has; and nothing that takes long to print.
_LARGEST_NUMBER = 10**30


@attrs.frozen(repr=False, kw_only=True, field_transformer=hide_fields)
class Request:
    """A request, ready to be posted, also a second time. One of ``json``, ``form`` and ``body``.

    Args:
        url: where to.
        json: a value, sent as compact UTF-8 JSON.
        form: fields, sent form-encoded; one with several values is sent as often.
        body: the exact body.
        headers: with the credentials.
        id: what the mail is called where the provider's answer names none, such as its Message-ID.
    """

    url: str
    json: Any = None
    form: Mapping[str, str | Sequence[str]] | None = None
    body: bytes | str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    id: str = ""


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Answer:
    """A provider's answer, read.

    Args:
        reply: status, headers and body.
        members: the JSON value of the body; None where it is no JSON.
        request: what it answers, where that is known.
    """

    reply: Reply
    members: Any
    request: Request | None = None

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.reply.status

    @property
    def succeeds(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.reply.status < 300  # noqa: PLR2004 (HTTP statuses read best as numbers)

    def value(self, *path: str | int) -> Any:
        """Walk through objects by name and lists by number; None where the path leads nowhere."""
        value = self.members
        for step in path:
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
                value = value[step]
            else:
                return None
        return value

    def text(self, *path: str | int, numbers: bool = False) -> str | None:
        """Return a member that is a text; None where there is none, or an empty one.

        Args:
            *path: names and numbers, as of :meth:`value`.
            numbers: whole numbers count too.
        """
        value = self.value(*path)
        if numbers and isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_NUMBER:
            return str(value)
        return value if isinstance(value, str) and value else None


#: Takes one thing out of an answer.
Selector = Callable[[Answer], str | None]


def member(*path: str | int, numbers: bool = False) -> Selector:
    """Return what takes a member out of an answer's JSON: ``member("errors", 0, "message")``; as of :meth:`Answer.text`."""
    return lambda answer: answer.text(*path, numbers=numbers)


def header(name: str) -> Selector:
    """Return what takes a header out of an answer."""
    return lambda answer: answer.reply.headers.get(name) or None


def read_json(reply: Reply) -> Any:
    """Return the body's JSON value; None if it is no JSON."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _nothing(_: Answer) -> None:
    return None


#: What a row is found by.
Key = str | int | tuple[str, int]
#: What a row says: one meaning, or what finds it in the answer.
Row = Meaning | Callable[[Answer], Meaning]


@attrs.frozen(kw_only=True)
class Answers:
    """How a provider answers, as data. The order of judgement is :meth:`receipt`'s and :meth:`failure`'s.

    Args:
        provider: what people call it.
        message_id: takes the id of an accepted mail, without which nothing is accepted. None for a provider that gives
            none: then ``accepted`` is the proof, and the Receipt has the request's id instead.
        code: takes the provider's code of an error.
        words: takes its words.
        request_id: takes its id of the request.
        accepted: says of an answer with a status of success whether it accepts; for providers that also refuse with it.
        meanings: the error table: the provider's code (one that ends with ``*`` is the beginning of codes), code and status
            together, or a status alone (4 and 5 are all that begin so) → a meaning, or what finds it in the answer.
        wide: codes of the table that stand for several causes: the provider's words are asked first. So they are for a code
            that only its beginning tells.
        spoken: what the words mean, in front of what they mean at any provider; None: they mean nothing.
        otherwise: what a refusal means that neither code nor words nor status tell more of; rejected unless said otherwise.
        retry_after: takes the seconds to wait, where they are not in ``Retry-After``.
        repeat: what a repeated request becomes, or what tells it of a config.
        in_flight: the code for "the first request of this key is still being worked on".
        read: reads the body.
        any_case: codes are compared whatever their case.
    """

    provider: str
    message_id: Selector | None
    code: Selector = _nothing
    words: Selector = _nothing
    request_id: Selector = _nothing
    accepted: Callable[[Answer], bool] | None = None
    meanings: Mapping[Any, Row] = attrs.field(factory=dict)
    wide: Collection[str] = ()
    spoken: tuple[Spoken, ...] | None = ()
    otherwise: Row | None = None
    retry_after: Callable[[Answer], str | float | None] = _nothing
    repeat: Repeat | Callable[[Any], Repeat] = Repeat.NEVER
    in_flight: str = ""
    read: Callable[[Reply], Any] = read_json
    any_case: bool = False
    _rows: Mapping[Key, Row] = attrs.field(init=False, repr=False)
    _beginnings: tuple[tuple[str, Row], ...] = attrs.field(init=False, repr=False)
    _wide: frozenset[Key] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.message_id is None and self.accepted is None:
            raise ValueError(say("{provider}: what proves acceptance? Give message_id or accepted", provider=self.provider))
        rows = {self._folded(key): row for key, row in self.meanings.items()}
        beginnings = [(key[:-1], row) for key, row in rows.items() if isinstance(key, str) and key.endswith("*")]
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_beginnings", tuple(sorted(beginnings, key=lambda pair: -len(pair[0]))))
        object.__setattr__(self, "_wide", frozenset(map(self._folded, self.wide)))

    def answer(self, reply: Reply, request: Request | None = None) -> Answer:
        """Read an answer."""
        return Answer(reply, self.read(reply), request)

    def receipt(self, reply: Reply, request: Request | None = None) -> Receipt:
        """Return the Receipt of an answer that says: accepted.

        Raises:
            SendError: what the answer means otherwise.
        """
        answer = self.answer(reply, request)
        if answer.succeeds and (self.accepted is None or self.accepted(answer)):
            request_id = self.request_id(answer)
            message_id = (request_id or (request and request.id)) if self.message_id is None else self.message_id(answer)
            if message_id:
                return Receipt(message_id, request_id)
        raise self._failure(answer)

    def failure(self, reply: Reply, request: Request | None = None) -> SendError:
        """Return the error that an answer means.

        A row for the provider's own code holds at any status but one of success, which must be refused by ``accepted``
        first. Where that row is a wide one, and for a 4xx without such a row, the provider's words are asked: the account's
        trouble wears any code and status. Then a row for the status. A success without its proof, and a 5xx without a row,
        tell nothing; but a 503 with a code is the provider's own "not now". What is left was accepted by nobody, and goes by
        its status.
        """
        return self._failure(self.answer(reply, request))

    def _failure(self, answer: Answer) -> SendError:
        code = self.code(answer)
        details: dict[str, Any] = {"code": code, "detail": self.words(answer), "request_id": self.request_id(answer)}
        wait = self.retry_after(answer)
        if isinstance(wait, str):
            wait = float(wait) if _SECONDS.fullmatch(wait) else None
        if wait is not None and "Retry-After" not in answer.reply.headers:
            details["retry_after"] = wait
        if code is not None and self._row_of_code(code, answer.status) is not None:
            details["code"] = say(code)  # a code of the table is no accident, whatever the payload says
        row = self._row(answer, code)
        return answer.reply.failure(row(answer) if callable(row) else row, **details)

    def _row(self, answer: Answer, code: str | None) -> Row | None:
        row = self._row_found(answer, code)
        return self._closer(row, answer, code) if self._leaves_open(answer, code) else row

    def _row_found(self, answer: Answer, code: str | None) -> Row | None:
        found = self._row_of_code(code, answer.status)
        if answer.succeeds:
            return found if found is not None and self._is_refused(answer) else self._unproven()
        found = found or self._rows.get(answer.status) or self._rows.get(answer.status // 100)
        if found is not None:
            return found
        if answer.status >= 500:  # noqa: PLR2004
            # A proxy says 503 as well, also where it lost the connection to a provider that had the mail.
            return None if answer.status == 503 and code is not None else self._unknown(code)  # noqa: PLR2004
        tells_little = meaning_of_status(answer.status).kind is MessageRejected
        return self.otherwise if tells_little and code is not None else None

    def _is_refused(self, answer: Answer) -> bool:
        return not answer.succeeds or (self.accepted is not None and not self.accepted(answer))

    def _row_of_code(self, code: str | None, status: int) -> Row | None:
        if code is None:
            return None
        key = self._folded(code)
        return self._exact_row(key, status) or next((row for start, row in self._beginnings if key.startswith(start)), None)

    def _exact_row(self, key: str, status: int) -> Row | None:
        return self._rows.get((key, status)) or self._rows.get(key)

    def _leaves_open(self, answer: Answer, code: str | None) -> bool:
        """Whether code and status leave several causes of a refusal open."""
        if not self._is_refused(answer):
            return False
        if code is not None and self._exact_row(self._folded(code), answer.status) is not None:
            return self._folded(code) in self._wide
        return answer.status // 100 == 4 or self._row_of_code(code, answer.status) is not None  # noqa: PLR2004

    def _closer(self, row: Row | None, answer: Answer, code: str | None) -> Meaning:
        """Return what the words mean; the row's meaning where they mean nothing, or the same in more general words."""
        known = row(answer) if callable(row) else row or meaning_of_status(answer.status)
        if self.spoken is None or known.kind is OutcomeUnknown:  # words do not make sure what is not
            return known
        from authmail.connect.spoken_of_accounts import ACCOUNT  # imported late: most processes meet no failure

        words = self.words(answer)
        own = meaning_of_words(self.spoken, code, words)
        said = meaning_of_words(ACCOUNT, code, words)
        if own is not None or said is None:
            return own or known
        return known if (known.kind, known.reason) == (said.kind, said.reason) else said

    @overload
    def _folded(self, key: str) -> str: ...
    @overload
    def _folded(self, key: Key) -> Key: ...
    def _folded(self, key: Key) -> Key:
        if not self.any_case or isinstance(key, int):
            return key
        return key.lower() if isinstance(key, str) else (key[0].lower(), key[1])

    def _unproven(self) -> Meaning:
        hint = say("the answer does not say that {provider} accepted the mail", provider=self.provider)
        return Meaning(OutcomeUnknown, Reason.PROVIDER, hint)

    def _unknown(self, code: str | None) -> Meaning:
        hint = (
            "the answer is not {provider}'s; something between may have answered, so it is not known whether the mail went out"
            if code is None
            else "{provider} had a fault; it is not known whether the mail went out"
        )
        return Meaning(OutcomeUnknown, Reason.PROVIDER, say(hint, provider=self.provider))

    def codes(self) -> Iterable[tuple[str, int]]:
        """Yield every code of the table with the status that it comes with: what an emulator can answer."""
        for key, row in self.meanings.items():
            if isinstance(key, tuple) and key[0] not in self.meanings:
                yield key
            elif isinstance(key, str) and not key.endswith("*"):
                pairs = (other[1] for other in self.meanings if isinstance(other, tuple) and other[0] == key)
                yield key, row.status if isinstance(row, Meaning) else next(pairs, 400)
