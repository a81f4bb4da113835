"""A store on a Redis or Valkey server: for many machines."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, NoScriptError, RedisError, ResponseError
from redis.exceptions import ConnectionError as NoConnection

from authmail.config.secret import Secret
from authmail.delivery.stores.redis_scripts import ANSWER, BEGIN, END, NOTE, VERSION, Script
from authmail.delivery.stores.server import OPENING_SECONDS, ServerStore, words_of
from authmail.delivery.stores.store import Begun, Claim, Entry, Limit, Note
from authmail.delivery.stores.window import is_exact, slice_at
from authmail.http.forked import close_in_children
from authmail.privacy import raise_afresh


class RedisStore(ServerStore[Redis]):
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
        super().__init__(url, secret=secret, clock=clock)
        if self._url.startswith("valkey"):
            self._url = f"redis{self._url.removeprefix('valkey')}"
        if urlsplit(self._url).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("the URL of a Redis store begins with redis://, rediss:// or unix://")
        self._prefix = prefix
        self._connections = connections

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

    def _connect(self) -> Redis:
        async def greet(connection: AbstractConnection) -> None:
            await connection.on_connect()
            close_in_children(connection, _descriptor)

        pool = BlockingConnectionPool.from_url(
            self._url,
            max_connections=self._connections,
            # Whoever waits does so within its own time; and what may be asked twice is known here alone.
            timeout=None,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=greet,
            protocol=2,
        )
        return Redis(connection_pool=pool, decode_responses=False)

    async def _open(self, client: Redis) -> None:
        await client.ping()

    async def _close(self, client: Redis) -> None:
        await client.aclose(close_connection_pool=True)

    def _problem(self, error: Exception) -> str | None:
        if isinstance(error, AuthenticationError):
            return "user or password is wrong, or missing"
        if isinstance(error, NoPermissionError):
            return f"the user may not do this ({words_of(error)}); allow evalsha and eval, and the keys {self._prefix}:*"
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
            await self.ask(lambda client: client.delete(self._note(key)), timeout)
        else:
            await self._run(NOTE, [self._note(key)], [keep, text], timeout)

    async def _run(self, script: Script, keys: list[str], arguments: list[Any], timeout: float, *, again: bool = True) -> Any:
        now = self.now()
        parts = [*keys, "" if now is None else repr(now), *arguments]

        async def run(client: Redis) -> Any:
            try:
                return await client.evalsha(script.sha, len(keys), *parts)
            except NoScriptError:
                return await client.eval(script.text, len(keys), *parts)

        async def try_twice(client: Redis) -> Any:
            try:
                return await run(client)
            except (NoConnection, ConnectionResetError, BrokenPipeError):
                if not again:
                    raise
                await asyncio.sleep(0)
                return await run(
                    client
                )  # the connection may have been closed while nobody used it; each script can be asked again

        return await self.ask(try_twice, timeout)

    def _entry(self, key: str) -> str:
        return f"{self._prefix}:e:{key}"

    def _note(self, key: str) -> str:
        return f"{self._prefix}:n:{key}"

    def _counted(self, key: str, limit: Limit) -> str:
        return f"{self._prefix}:{'c' if is_exact(limit) else 's'}:{key}"


def _entry(fingerprint: bytes, answer: bytes | None, lease: bytes) -> Entry:
    return Entry(fingerprint.decode(), None if answer is None else answer.decode(), float(lease))


def _descriptor(connection: AbstractConnection) -> int:
    writer = connection._writer  # noqa: SLF001 (redis-py tells nobody)
    number: int = writer.get_extra_info("socket").fileno() if writer is not None else -1
    return number
