"""A provider over SMTP on loopback: it follows a recorded dialogue, or takes it as a pattern for any mail.

A dialogue is a list of lines, ``S:`` the server's and ``C:`` the client's::

    "S: 220 mx.example ESMTP", "C: EHLO <any>", "S: 250-mx.example", "S: 250 SIZE 1000000",
    "C: MAIL FROM:<no-reply@example.com> <any>", "S: 250 2.1.0 Ok", …
    "C: DATA", "S: 354 Go on", "C: <mail>", "S: 250 2.0.0 Ok: queued as 4711", "C: QUIT", "S: 221 Bye"

``C: <mail>`` is the whole mail up to the lone dot. ``S: <cut>`` and ``S: <silence>`` stand for what a server says then.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

import attrs

from authmail.testing.exchange import Answer, differences, fits
from authmail.testing.provider import Respond
from authmail.testing.wire import Request

_PATIENCE = 2.0
_MAIL = "<mail>"
_UNKNOWN = "<unknown>"
_ALWAYS = {"RSET": ("250 2.0.0 Ok",), "NOOP": ("250 2.0.0 Ok",), "QUIT": ("221 2.0.0 Bye",)}


@attrs.frozen
class _Turn:
    """What the client says, and what the server answers."""

    client: str
    server: tuple[str, ...]


class _Over(Exception):
    """The server says no more."""


class DialogueServer:
    """Served as long as the context is open.

    Args:
        dialogue: the recorded lines.
        respond: gives the answer to each mail instead of the recorded one: status and body are the reply's.
        strict: the client must say what was recorded; :attr:`differences` tells where it did not.

    Attributes:
        requests: the mails that came, with their envelope as path, and what opened their connection as header ``opening``.
        commands: what the client said, but for the mails.
        connections: how many were made.
        arrived: set when a mail has come.
        differences: between what was recorded and what the client said.
    """

    def __init__(self, dialogue: Sequence[str], respond: Respond | None = None, *, strict: bool = False) -> None:
        self.respond = respond
        self.requests: list[Request] = []
        self.commands: list[str] = []
        self.connections = 0
        self.arrived = asyncio.Event()
        self.differences: list[str] = []
        self._greeting, self._turns = _turns(dialogue)
        self._strict = strict
        self._conversations: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._conversations:
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where it is."""
        if self._server is None:
            raise RuntimeError("the server is not open")
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def left(self) -> bool:
        """Whether the client closes all its connections within a while."""
        if self._conversations:
            await asyncio.wait(self._conversations, timeout=_PATIENCE)
        return not self._conversations

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(_Over, ConnectionError):
                await self._say(reader, writer, self._greeting)
                await self._follow(reader, writer)
        finally:
            writer.transport.abort()

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        position, opening, envelope = 0, "", ""
        while line := (await reader.readline()).decode("utf-8", "replace").rstrip("\r\n"):
            self.commands.append(line)
            turn, position = self._turn(line, position)
            if line.upper().startswith(("MAIL FROM", "RCPT TO")):
                envelope = line if line.upper().startswith("MAIL") else f"{envelope} {line}"
            elif not envelope:
                opening = f"{opening} {line}".strip()
            elif turn.client == _UNKNOWN:  # the rest of a mail, if the client ended it too early
                self.requests.append(Request("COMMAND", line, {}, b""))
            await self._say(reader, writer, turn.server)
            if line.upper() == "QUIT":
                break
            if turn.server and turn.server[-1].startswith("354"):
                mail = await _read_mail(reader)
                turn, position = self._turn(_MAIL, position)
                headers = {"content-type": "message/rfc822", "opening": opening}
                await self._take(reader, writer, Request("MAIL", envelope, headers, mail), turn)
        missing = [turn.client for turn in self._turns[position:] if turn.client.upper() != "QUIT"]
        if self._strict and missing:
            self.differences.append(f"the client never said {missing[0]!r}")

    def _turn(self, line: str, position: int) -> tuple[_Turn, int]:
        """Return the turn that answers a line, and where the dialogue goes on."""
        if position < len(self._turns) and (self._turns[position].client == line or fits(self._turns[position].client, line)):
            return self._turns[position], position + 1
        word = line.partition(" ")[0].upper()
        if word in _ALWAYS:
            return _Turn(line, _ALWAYS[word]), position
        if self._strict:
            expected = repr(self._turns[position].client) if position < len(self._turns) else "nothing more"
            self.differences.append(f"expected {expected}, the client said {line!r}")
        same = [(turn, index) for index, turn in enumerate(self._turns) if turn.client.partition(" ")[0].upper() == word]
        if not same:
            return _Turn(_UNKNOWN, ("500 5.5.1 Unknown command",)), position
        return same[0][0], same[0][1] + 1

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mail: Request, turn: _Turn) -> None:
        self.requests.append(mail)
        self.arrived.set()
        if self.respond is None:
            await self._say(reader, writer, turn.server)
            return
        answer = self.respond(mail, len(self.requests) - 1)
        reply = f"{answer.status} {' '.join(answer.body.decode('utf-8', 'replace').split())}"
        await self._say(reader, writer, (f"<{answer.mishap}>",) if answer.mishap else (reply,))

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lines: Sequence[str]) -> None:
        for line in lines:
            if line == "<silence>":
                while await reader.read(65536):
                    pass
            if line in ("<silence>", "<cut>"):
                raise _Over
            writer.write(f"{line}\r\n".encode())
        await writer.drain()


def accepted_answer(dialogue: Sequence[str]) -> Answer:
    """Return the reply to the mail in a dialogue."""
    _, turns = _turns(dialogue)
    reply = next((turn.server[-1] for turn in turns if turn.client == _MAIL and turn.server), "250 2.0.0 Ok")
    return Answer(int(reply[:3]), {}, reply[4:].encode())


def replying(dialogue: Sequence[str], word: str, reply: str) -> tuple[str, ...]:
    """Return a dialogue in which the server says something else to a command of the client's: ``MAIL``, ``RCPT``, ``<mail>``."""
    greeting, turns = _turns(dialogue)
    lines = [f"S: {line}" for line in greeting]
    for turn in turns:
        is_meant = turn.client.partition(" ")[0].upper() == word.upper()
        lines += [f"C: {turn.client}", *(f"S: {line}" for line in ((reply,) if is_meant else turn.server))]
    return tuple(lines)


def mail_differences(expected: Mapping[str, Any], mail: Request) -> Iterator[str]:
    """Yield where a mail is not as expected: the headers that are named, and its parts ``text`` and ``html``."""
    parsed = message_from_bytes(mail.body, EmailMessage, policy=policy.default)
    for name, value in expected.get("headers", {}).items():
        seen = parsed[name]
        yield from differences(value, None if seen is None else str(seen), f"mail.headers.{name}")
    for part, kind in (("text", "plain"), ("html", "html")):
        if part in expected:
            found = parsed.get_body((kind,))
            content = None if found is None else found.get_content().replace("\r\n", "\n").rstrip("\n")
            yield from differences(expected[part], content, f"mail.{part}")


def _turns(dialogue: Sequence[str]) -> tuple[tuple[str, ...], tuple[_Turn, ...]]:
    greeting: list[str] = []
    turns: list[tuple[str, list[str]]] = []
    for line in dialogue:
        side, _, said = line.partition(": ")
        if side == "C":
            turns.append((said, []))
        elif side == "S":
            (turns[-1][1] if turns else greeting).append(said)
        else:
            raise ValueError(f"a line of a dialogue begins with S: or C:, not {line[:20]!r}")
    return tuple(greeting), tuple(_Turn(client, tuple(server)) for client, server in turns)


async def _read_mail(reader: asyncio.StreamReader) -> bytes:
    """Read until the lone dot; doubled dots at the begin of lines become one (RFC 5321 section 4.5.2)."""
    lines = []
    while (line := await reader.readline()) not in (b".\r\n", b""):
        lines.append(line[1:] if line.startswith(b"..") else line)
    return b"".join(lines)
