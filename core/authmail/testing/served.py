"""A sandbox on a loop of a thread of its own: for tests on any event loop, or on none."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, Self, TypeVar

from authmail.connect.registry import connectors, get_connector
from authmail.sandbox import Emulator, ReceivedMail, Sandbox

_Result = TypeVar("_Result")


class ServedSandbox:
    """Emulators of providers and the inbox of what they accepted, served as long as the context is open.

    Args:
        emulators: connector's factory id → its emulator; by default those of all installed connectors that have one.
    """

    def __init__(self, emulators: Mapping[str, Emulator] | None = None) -> None:
        if emulators is None:
            found = {connector.id: connector.get_emulator() for connector in connectors()}
            emulators = {identity: emulator for identity, emulator in found.items() if emulator is not None}
        self._sandbox = Sandbox(emulators)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="authmail-sandbox", daemon=True)
        self.inbox = ServedInbox(self._sandbox, self._loop)

    def __enter__(self) -> Self:
        self._thread.start()
        _on(self._loop, self._sandbox.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        _on(self._loop, self._sandbox.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Where the inbox's page is."""
        return self._sandbox.url

    @property
    def connectors(self) -> list[str]:
        """Factory ids of the connectors that are emulated."""
        return self._sandbox.connectors

    def endpoint(self, connector: str) -> str:
        """Return where a connector's provider is, for its ``endpoint`` setting. An id, or a target."""
        return self._sandbox.endpoint(self._id(connector))

    def config(self, connector: str) -> dict[str, Any]:
        """Return settings with which a connector sends into this sandbox, without templates. An id, or a target."""
        return self._sandbox.config(self._id(connector))

    def fail(self, connector: str, fault: str | None, *, times: int | None = 1) -> None:
        """Let the next mails to one provider meet a fault, whoever their recipients are; see :meth:`Sandbox.fail`.

        Args:
            connector: an id, or a target.
            fault: such as ``throttled``; None takes back what was aimed.
            times: so many requests; None for all from now on.

        Raises:
            ValueError: there is no such provider or fault here.
        """

        async def failing() -> None:
            self._sandbox.fail(connector, fault, times=times)

        _on(self._loop, failing())

    def _id(self, connector: str) -> str:
        return connector if connector in self.connectors else get_connector(connector).id


class ServedInbox:
    """The mails that the sandbox's emulators accepted, oldest first."""

    def __init__(self, sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        self._sandbox = sandbox
        self._loop = loop

    async def wait(self, *, to: str | None = None, after: int = 0, timeout: float = 10.0) -> ReceivedMail:
        """Return a mail as soon as there is one.

        Args:
            to: only to this recipient.
            after: only with a greater id: ``after=mail.id`` is the next one.
            timeout: seconds.

        Raises:
            TimeoutError: none came; says what was waited for.
        """
        waiting = self._sandbox.inbox.wait(to=to, after=after, timeout=timeout)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(waiting, self._loop))

    def get(self, *, to: str | None = None, after: int = 0, timeout: float = 10.0) -> ReceivedMail:
        """Return a mail as :meth:`wait` does, in tests without an event loop."""
        return _on(self._loop, self._sandbox.inbox.wait(to=to, after=after, timeout=timeout))

    def messages(self, to: str | None = None) -> list[ReceivedMail]:
        """Return the mails that have come, or those to one recipient."""

        async def listed() -> list[ReceivedMail]:
            return self._sandbox.inbox.messages(to)

        return _on(self._loop, listed())

    def clear(self) -> None:
        """Remove all mails."""

        async def cleared() -> None:
            self._sandbox.inbox.clear()

        _on(self._loop, cleared())

    def __iter__(self) -> Iterator[ReceivedMail]:
        return iter(self.messages())

    def __len__(self) -> int:
        return len(self.messages())


def _on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, _Result]) -> _Result:
    return asyncio.run_coroutine_threadsafe(work, loop).result()
