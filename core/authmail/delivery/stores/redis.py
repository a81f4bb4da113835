"""A store on a Redis or Valkey server: for many machines."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, NoScriptError, RedisError, ResponseError

from authmail.config.secret import Secret
from authmail.delivery.stores import redis_reports
from authmail.delivery.stores.pool import Line, is_quiet
from authmail.delivery.stores.redis_scripts import ANSWER, BEGIN, END, NOTE, RIGHTS, VERSION, Script
from authmail.delivery.stores.reports import StoreCheck, StoreStats
from authmail.delivery.stores.server import OPENING_SECONDS, ServerStore, words_of
from authmail.delivery.stores.store import Begun, Claim, Entry, Limit, Note
from authmail.delivery.stores.window import is_exact, slice_at
from authmail.http.forked import close_in_children
from authmail.privacy import raise_afresh

# What a script may not do, in the words of Redis 7.0, 7.2 and 6.
_NO_RIGHT = re.compile(r"can't (?:run this command|access at least one of the keys)|ACL failure in script|NOPERM")


class RedisStore(ServerStore[AbstractConnection]):
    """Counts, answers and notes in Redis 6 or later, or Valkey; one script is one trip. Needs the extra ``redis``.

    The server must not evict keys (``maxmemory-policy noeviction``), and what it loses in a crash is forgotten: with ``appendonly yes`` at most
    the last second (Redis' page *Persistence*). Time is the server's own. One server, or a primary with replicas; not a cluster.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://`` with TLS, ``unix:///path?db=0``; ``valkey://`` and ``valkeys://`` are the same.
        secret: key of the hashes, 16 bytes or more: the same on all machines, and never kept on that server.
        prefix: begins the name of every key, so that others can use the server too.
        connections: the most of one event loop at a time; whoever finds none free waits within the message's time.
        clock: gives seconds; by default the server's own clock.

    Raises:
        ValueError: the URL or the secret cannot be used.
    """

    @raise_afresh
    def __init__(
        self,
        url: Secret | str,
        *,
        secret: Secret | bytes,
        prefix: str = "authmail",
        connections: int = 20,
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(url, secret=secret, connections=connections, clock=clock)
        if self._url.startswith("valkey"):
            self._url = f"redis{self._url.removeprefix('valkey')}"
        if urlsplit(self._url).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("the URL of a Redis store begins with redis://, rediss:// or unix://")
        self._place = _place_of(self._url)
        self._prefix = prefix
        self._made = _connections_of(self._url)

    @property
    def place(self) -> str:
        """Where the server is, without user and password."""
        return self._place

    @property
    def _identity(self) -> tuple[object, ...]:
        parts = urlsplit(self._url)
        return (
            parts.hostname,
            parts.port or 6379,
            parts.path.strip("/") or "0",
            dict(parse_qsl(parts.query)).get("db"),
            self._prefix,
        )

    def _line(self) -> Line[AbstractConnection]:
        return _Line(self._made)

    async def _open(self) -> None:
        await self._run(ANSWER, [self._entry("")], [], OPENING_SECONDS)

    def _problem(self, error: Exception) -> str | None:
        if isinstance(error, AuthenticationError) or "unauthenticated" in str(error):
            return "user or password is wrong, or missing"
        if isinstance(error, NoPermissionError) or (isinstance(error, ResponseError) and _NO_RIGHT.search(str(error))):
            return f"the user may not do this ({words_of(error)}); allow the keys {self._prefix}:* and {RIGHTS}"
        if isinstance(error, ResponseError) and str(error).startswith("NEWER"):
            return f"a newer release writes it ({words_of(error)}); this one reads up to {VERSION + 1}"
        return words_of(error) if isinstance(error, RedisError | OSError | ValueError) else None

    async def begin(self, claim: Claim, *, timeout: float = OPENING_SECONDS) -> Begun:
        """See :meth:`authmail.delivery.Store.begin`."""
        turn = claim.turn
        keys = [f"{self._prefix}:version"]
        keys += [self._entry(claim.key)] if claim.key is not None else []
        keys += [self._counted(key, limit) for key, limit in claim.counts]
        keys += [f"{self._prefix}:t:{turn.key}"] if turn is not None else []
        keys += [self._note(key) for key in claim.notes]
        arguments: list[Any] = [
            int(claim.key is not None),
            claim.token,
            claim.fingerprint,
            claim.lease,
            claim.keep,
            len(claim.counts),
        ]
        for _, limit in claim.counts:
            arguments += [limit.most, limit.seconds, int(is_exact(limit))]
        arguments += ["", "", "", ""] if turn is None else [turn.rate, turn.burst, int(turn.coded), turn.longest]
        reply = await self._run(BEGIN, keys, [VERSION, *arguments], timeout)
        at, wait, turned, fingerprint, answer, lease = reply[:6]
        notes = {
            key: Note(text.decode(), float(left))
            for key, text, left in zip(claim.notes, reply[6::2], reply[7::2], strict=True)
            if text is not None
        }
        entry = None if fingerprint is None else _entry(fingerprint, answer, lease)
        return Begun(entry=entry, wait=float(wait), at=float(at), notes=notes, turn=float(turned))

    async def end(
        self, claim: Claim, begun: Begun, *, answer: str | None, uncount: Sequence[str] = (), timeout: float = OPENING_SECONDS
    ) -> None:
        """See :meth:`authmail.delivery.Store.end`."""
        limits = dict(claim.counts)
        keys = [self._entry(claim.key)] if claim.key is not None else []
        keys += [self._counted(key, limits[key]) for key in uncount]
        slices = ["" if is_exact(limits[key]) else slice_at(limits[key], begun.at) for key in uncount]
        if keys:
            arguments = [int(claim.key is not None), claim.token, int(answer is not None), answer or "", *slices]
            # A number that is taken down twice would let one message more through.
            await self._run(END, keys, arguments, timeout, again=not any(slices))

    async def answer_of(self, key: str, *, timeout: float = OPENING_SECONDS) -> Entry | None:
        """See :meth:`authmail.delivery.Store.answer_of`."""
        reply = await self._run(ANSWER, [self._entry(key)], [], timeout)
        return None if reply is None else _entry(*reply)

    async def note(self, key: str, text: str | None, *, keep: float = 0.0, timeout: float = OPENING_SECONDS) -> None:
        """See :meth:`authmail.delivery.Store.note`."""
        if text is None:
            await self.ask(lambda connection: _said(connection, "DEL", self._note(key)), timeout)
        else:
            await self._run(NOTE, [self._note(key)], [keep, text], timeout)

    async def forget(self, keys: Iterable[str], *, timeout: float = OPENING_SECONDS) -> int:
        """Forget all that limits count under these keys; return how many messages that were."""
        names = [(f"{self._prefix}:c:{key}", f"{self._prefix}:s:{key}") for key in keys]
        asked = [
            command
            for exact, sliced in names
            for command in (("ZCOUNT", exact, "-inf", "+inf"), ("HGETALL", sliced), ("DEL", exact, sliced))
        ]
        answers = await self._commands(asked, timeout) if asked else []
        return sum(map(int, answers[0::3])) + sum(int(number) for slices in answers[1::3] for number in slices[1::2])

    async def check(self) -> StoreCheck:
        """Say how it stands.

        Raises:
            StoreError: the server cannot be reached.
        """
        return await redis_reports.check(self, self._prefix, self._commands)

    async def stats(self, told: Callable[[int, int], None] | None = None) -> StoreStats:
        """Say how much is in it, looked at in portions between which the server serves others.

        Args:
            told: hears how many of the server's keys were looked at, and how many there are.

        Raises:
            StoreError: the server cannot be used.
        """
        return await redis_reports.stats(self._prefix, self._commands, told)

    async def _commands(self, commands: Sequence[tuple[Any, ...]], timeout: float = OPENING_SECONDS) -> list[Any]:
        return await self.ask(lambda connection: _said_all(connection, commands), timeout)

    async def _run(self, script: Script, keys: list[str], arguments: list[Any], timeout: float, *, again: bool = True) -> Any:
        now = self.now()
        parts = [*keys, "" if now is None else repr(now), *arguments]

        async def run(connection: AbstractConnection) -> Any:
            try:
                return await _said(connection, "EVALSHA", script.sha, len(keys), *parts)
            except NoScriptError:
                return await _said(connection, "EVAL", script.text, len(keys), *parts)

        return await self.ask(run, timeout, again=again)

    def _entry(self, key: str) -> str:
        return f"{self._prefix}:e:{key}"

    def _note(self, key: str) -> str:
        return f"{self._prefix}:n:{key}"

    def _counted(self, key: str, limit: Limit) -> str:
        return f"{self._prefix}:{'c' if is_exact(limit) else 's'}:{key}"


def _entry(fingerprint: bytes, answer: bytes | None, lease: bytes) -> Entry:
    return Entry(fingerprint.decode(), None if answer is None else answer.decode(), float(lease))


class _Line:
    """How to connect to a Redis server.

    Args:
        connections: makes them; all else that it can do, :class:`~authmail.delivery.stores.pool.Pool` does.
    """

    def __init__(self, connections: ConnectionPool) -> None:
        self._connections = connections

    async def connect(self) -> AbstractConnection:
        connection: AbstractConnection = self._connections.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            _hang_up(connection)
            raise
        return connection

    def is_in_order(self, connection: AbstractConnection) -> bool:
        reader = connection._reader  # noqa: SLF001 (redis-py tells only by reading)
        return reader is not None and not reader.at_eof() and is_quiet(_descriptor(connection))

    def hang_up(self, connection: AbstractConnection) -> None:
        _hang_up(connection)


def _connections_of(url: str) -> ConnectionPool:
    async def greet(connection: AbstractConnection) -> None:
        await connection.on_connect()
        close_in_children(connection, _descriptor)

    return ConnectionPool.from_url(
        url,
        # Whoever waits does so within its own time; and what may be asked twice is known here alone.
        socket_timeout=None,
        socket_connect_timeout=None,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=greet,
        protocol=2,
    )


async def _said(connection: AbstractConnection, *command: Any) -> Any:
    try:
        await connection.send_command(*command)
        return await connection.read_response(disconnect_on_error=False)
    except ResponseError:
        raise
    except BaseException:  # what comes yet answers this command, and no other
        _hang_up(connection)
        raise


async def _said_all(connection: AbstractConnection, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    try:
        await connection.send_packed_command(connection.pack_commands(commands))
        return [await connection.read_response(disconnect_on_error=False) for _ in commands]
    except BaseException:  # the other answers are still to come
        _hang_up(connection)
        raise


def _hang_up(connection: AbstractConnection) -> None:
    # redis-py would say good-bye in TLS, and wait for the server's.
    writer, connection._reader, connection._writer = connection._writer, None, None  # noqa: SLF001 (it has no other way)
    if writer is not None:
        writer.transport.abort()


def _descriptor(connection: AbstractConnection) -> int:
    writer = connection._writer  # noqa: SLF001 (redis-py tells nobody)
    number: int = writer.get_extra_info("socket").fileno() if writer is not None else -1
    return number


def _place_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
        place = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:  # which would quote a part of the password
        place = "@"
    if "@" in place or "@" in parts.query or parts.fragment:
        raise ValueError(
            "the URL of a Redis store cannot be read; in user and password write / as %2F, @ as %40, # as %23 and ? as %3F"
        )
    return place
