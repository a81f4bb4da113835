"""The servers of the sandbox: one for the inbox, and one for each emulated provider."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from errno import EINVAL, errorcode
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from authmail.connect.registry import get_connector
from authmail.errors import ConnectorNotFound
from authmail.sandbox.aims import Aim
from authmail.sandbox.api import inbox_application
from authmail.sandbox.attempts import Attempts
from authmail.sandbox.emulator import Emulator
from authmail.sandbox.faults import Fault
from authmail.sandbox.inbox import Inbox
from authmail.sandbox.provider import provider_application
from authmail.sandbox.streams import StreamEmulator, listen
from authmail.words.near import nearest


class Sandbox:
    """Emulators and their inbox, served as long as the context is open.

    Every emulator has a port of its own, since a provider's signature covers host and path and its SDK cannot be
    given a path in front.

    Args:
        emulators: connector's factory id → its emulator.
        host: address to listen at. Anybody who reaches it can read the mails.
        port: of the inbox; the emulators take the next ones in order. 0 lets the system choose all.
    """

    def __init__(self, emulators: Mapping[str, Emulator | StreamEmulator], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.inbox = Inbox()
        self.attempts = Attempts(self.inbox)
        self._emulators = dict(emulators)
        self._host = host
        self._port = port
        self._urls: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._urls = {"": await self._serve(stack, inbox_application(self), self._port)}
            for offset, (connector, emulator) in enumerate(self._emulators.items(), start=1):
                port = self._port + offset if self._port else 0
                if isinstance(emulator, StreamEmulator):
                    with _port_in_words(self._host, port):
                        host, bound = await listen(stack, connector, emulator, self.inbox, self._host, port)
                    self._urls[connector] = _url(emulator.scheme, host, bound)
                else:
                    application = provider_application(connector, emulator, self.inbox)
                    self._urls[connector] = await self._serve(stack, application, port)
            stack.push_async_callback(self.attempts.close)  # before the servers that they need
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Where the inbox is."""
        return self._urls[""]

    def endpoint(self, connector: str) -> str:
        """Return where a connector's provider is, for its ``endpoint`` setting; ``smtp://…`` where it speaks SMTP."""
        return self._urls[connector]

    def config(self, connector: str) -> dict[str, Any]:
        """Return settings with which a connector sends into this sandbox; templates are not among them."""
        emulator = self._emulators[connector]
        if isinstance(emulator, StreamEmulator):
            address = urlsplit(self.endpoint(connector))
            return {"host": address.hostname, "port": address.port, **emulator.config}
        return {**emulator.config, "endpoint": self.endpoint(connector)}

    def faults(self, connector: str) -> Mapping[str, Fault]:
        """Return what a recipient's part before the ``@`` makes happen, if the emulator says so."""
        faults: Mapping[str, Fault] = getattr(self._emulators[connector], "faults", {})
        return faults

    def fail(self, connector: str, fault: str | None, *, times: int | None = 1) -> None:
        """Let the next mails to one provider meet a fault, whoever their recipients are.

        Args:
            connector: factory id or target of the provider's connector.
            fault: one of :meth:`faults`, such as ``throttled``; None takes back what was aimed at the provider.
            times: so many requests; None for all from now on.

        Raises:
            ValueError: there is no such provider or fault here; with the nearest one.
        """
        identity = self._identity(connector)
        if fault is None:
            return self.inbox.aims.set(identity, None)
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise ValueError("times must be a whole number from 1 on, or None")
        faults = self.faults(identity)
        if fault not in faults:
            near = nearest(fault, faults)
            raise ValueError(f"{identity} has no fault {fault!r}: {f'did you mean {near}?' if near else ', '.join(faults)}")
        return self.inbox.aims.set(identity, Aim(fault, faults[fault], times))

    def _identity(self, connector: str) -> str:
        if connector in self._emulators:
            return connector
        with suppress(ConnectorNotFound):
            if (identity := get_connector(connector).id) in self._emulators:
                return identity
        raise ValueError(f"no provider of {connector!r} is emulated here; there are {', '.join(self._emulators)}")

    @property
    def connectors(self) -> list[str]:
        """Factory ids of the connectors that are emulated."""
        return list(self._emulators)

    async def _serve(self, stack: AsyncExitStack, application: web.Application, port: int) -> str:
        # A handler that never answers, as a time-out fault wants it, is cancelled at the end.
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        with _port_in_words(self._host, port):
            await web.TCPSite(runner, self._host, port).start()
        return _url("http", *runner.addresses[0][:2])


@contextmanager
def _port_in_words(host: str, port: int) -> Iterator[None]:
    """Say which port could not be had."""
    try:
        yield
    except OverflowError:  # a port asked for may leave no room for all emulators
        raise OSError(EINVAL, f"port {port} of {host} cannot be used: the highest is 65535") from None
    except OSError as error:
        # asyncio says the address once more in its own text; what has no number of its own, such as a name, has only that.
        why = os.strerror(error.errno) if error.errno is not None and error.errno in errorcode else error.strerror
        raise OSError(error.errno, f"port {port} of {host} cannot be used: {why}") from None


def _url(scheme: str, host: str, port: int) -> str:
    if ip_address(host).is_unspecified:  # it listens everywhere, and can be reached here
        host = "127.0.0.1" if ip_address(host).version == 4 else "::1"  # noqa: PLR2004 (IPv4)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
