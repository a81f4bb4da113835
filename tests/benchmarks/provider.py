"""A provider on loopback, in a process of its own, so that its work is not counted as that of the clients."""

import asyncio
import json
import multiprocessing
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import trustme

ANSWER = json.dumps({"EnvId": "600000000000000001", "RequestId": "12D086F6-8F31-4658-84C1-006DED011A85"}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)

#: Name of a way to answer → seconds until the answer to the n-th request.
DELAYS = {
    "http": lambda _: 0.0,
    "tls": lambda _: 0.0,
    "steady": lambda _: 0.02,
    "slow": lambda number: 2.0 if number % 100 == 0 else 0.05,
    "held": lambda _: 1.0,
}


class Provider(asyncio.Protocol):
    """Reads a request, answers; nothing more, so that it never limits the clients."""

    def __init__(self, delay, numbers):
        self.delay, self.numbers = delay, numbers

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n") + 4) > 3:
            head = self.buffer[:end].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self.buffer) < end + length:
                return
            self.buffer = self.buffer[end + length :]
            if seconds := self.delay(next(self.numbers)):
                asyncio.get_running_loop().call_later(seconds, self.transport.write, HEAD + ANSWER)
            else:
                self.transport.write(HEAD + ANSWER)


def _serve(pipe, certificate):
    async def run():
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
        loop = asyncio.get_running_loop()
        ports = {}
        servers = []
        for name, delay in DELAYS.items():
            numbers = count(1)
            server = await loop.create_server(
                lambda delay=delay, numbers=numbers: Provider(delay, numbers),
                "127.0.0.1",
                0,
                ssl=tls if name == "tls" else None,
                backlog=2048,
            )
            servers.append(server)
            ports[name] = server.sockets[0].getsockname()[1]
        pipe.send(ports)
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def running(folder: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the URL of each way to answer, and the PEM file of the authority that the TLS one is certified by."""
    authority = trustme.CA()
    ca_file, certificate = str(folder / "authority.pem"), str(folder / "server.pem")
    authority.cert_pem.write_to_path(ca_file)
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, certificate), daemon=True)
    process.start()
    try:
        ports = ours.recv()
        yield {name: f"{'https' if name == 'tls' else 'http'}://127.0.0.1:{port}/" for name, port in ports.items()}, ca_file
    finally:
        process.terminate()
        process.join()
