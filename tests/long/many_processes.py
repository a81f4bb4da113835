"""Twelve processes that send to one provider for one account: ``python tests/long/many_processes.py pace|breaker STORE``. Prints JSON.

They are forked, as web servers do. The provider is a server of this process, which notes when each request came.
"""

import asyncio
import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from select import select

from authmail import Egress, Mailer, Message, SendError, Template
from authmail.config.secret import Secret
from authmail.delivery import Breaker, Delivery, Failover, Pace, Store
from authmail.delivery.stores.at import store_at

PROCESSES = 12
RATE = 14.0
SECRET = Secret("a secret of sixteen bytes or more")
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>{{code}}</p>")]
SECONDS, REST = 5.0, 2.0
_SENDER = re.compile(rb"process-(\d+)")


class Provider:
    """A server that says yes or fails, and notes the time of each request."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.senders: set[bytes] = set()
        self.all_are_here = asyncio.Event()
        self.fails = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer each request of a connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
                )
                self.times.append(asyncio.get_running_loop().time())
                body = await reader.readexactly(length)
                self.senders.update(_SENDER.findall(body))
                if len(self.senders) >= PROCESSES:
                    self.all_are_here.set()
                status, body = ("503 Unavailable", b"{}") if self.fails else ("200 OK", b'{"messageId": "1"}')
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
        writer.close()


async def send(port: int, place: str, what: str, goes_on: Callable[[], bool]) -> None:
    """Send all the time, as one of the processes."""
    store: Store = store_at(Secret(place), Path(), SECRET)
    mailer = Mailer("http-email", {"endpoint": f"http://127.0.0.1:{port}/"}, egress=Egress.ANY)
    paced = Pace(mailer, rate=RATE, store=store) if what == "pace" else mailer
    breaker = Breaker(paced, rest=REST, longest_rest=REST, store=store)
    async with Delivery(Failover([breaker])) as delivery:

        async def one(number: int) -> None:
            while goes_on():
                message = Message(f"process-{os.getpid()}-{number}@d{number % 5}.example", "SignIn", {"code": "123456"})
                with suppress(SendError):
                    await delivery.send(message, timeout=6.0)
                await asyncio.sleep(0.1)

        await asyncio.gather(*(one(number) for number in range(3)))


async def run(what: str, place: str) -> dict[str, object]:
    """Run all of it, and return the times of requests and what was done when."""
    provider, loop = Provider(), asyncio.get_running_loop()
    server = await asyncio.start_server(provider.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ended, over = os.pipe()  # closed by this process when all of it is over
    store_at(Secret(place), Path(), SECRET)  # what each would import
    children = []
    for _ in range(PROCESSES):
        child = os.fork()
        if child == 0:
            asyncio.events._set_running_loop(None)
            os.close(over)
            asyncio.run(send(port, place, what, lambda: not select([ended], [], [], 0)[0]))
            os._exit(0)
        children.append(child)
    async with asyncio.timeout(30):
        await provider.all_are_here.wait()
    began = loop.time()
    provider.fails = what == "breaker"
    await asyncio.sleep(SECONDS)
    provider.fails, healed = False, loop.time()
    await asyncio.sleep(2 * REST if what == "breaker" else 0)
    os.close(over)
    for child in children:
        await asyncio.to_thread(os.waitpid, child, 0)
    server.close()
    return {"times": provider.times, "began": began, "healed": healed}


if __name__ == "__main__":
    logging.disable()
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks beside threads
    json.dump(asyncio.run(run(*sys.argv[1:])), sys.stdout)
