"""authmail worker."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator

import click

from authmail import hookimpl, say
from authmail.cli.language import language_option, told
from authmail.cli.output import echo, is_watched, print_progress
from authmail.cli.queue import queue_file
from authmail.delivery import Delivery
from authmail.errors import AuthmailError

_LOOK = 0.5


class _Tally:
    """A plugin that counts what becomes of messages."""

    def __init__(self) -> None:
        self.sent = self.failed = 0

    @hookimpl
    def message_sent(self) -> None:
        self.sent += 1

    @hookimpl
    def message_failed(self) -> None:
        self.failed += 1


@click.command(short_help="Send what is queued.")
@click.argument("file", default="authmail.toml", type=click.Path(dir_okay=False, exists=True))
@click.option("--concurrency", type=click.IntRange(1, 1000), help="So many at a time; the file's own otherwise.")
@click.option("--health", "port", type=click.IntRange(0, 65535), help="Answer GET /health at 127.0.0.1 and this port.")
@click.option("--until-empty", is_flag=True, help="End when nothing waits any more.")
@language_option
def worker(file: str, concurrency: int | None, port: int | None, until_empty: bool) -> None:
    """Send what the host queues, until SIGTERM or Ctrl-C: then what was begun is ended, and the rest handed back.

    With a file as store one worker of the machine works, and others stand by; with PostgreSQL any number work together. The exit code is 1
    if the queue cannot be worked at, so that a supervisor starts another.

    \b
    Examples:
      authmail worker authmail.toml
      authmail worker authmail.toml --health 9180
    """
    tally = _Tally()
    delivery = queue_file(file, plugins=[tally])
    if not is_watched():  # a service's log
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        asyncio.run(_work(delivery, tally, concurrency, port, until_empty=until_empty))
    except AuthmailError as error:
        raise click.ClickException(str(error)) from None


async def _work(delivery: Delivery, tally: _Tally, concurrency: int | None, port: int | None, *, until_empty: bool) -> None:
    from authmail.queue import work

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with delivery, _health(delivery, port):
        echo(told(say("working at {queue}; Ctrl-C ends in order", queue=delivery.queue.engine.place)), err=True)  # type: ignore[union-attr]
        beside = asyncio.create_task(_look(delivery, tally, stopping, until_empty=until_empty))
        try:
            await work(delivery, stop=stopping, concurrency=concurrency)
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)
    echo(told(say("ended: {sent} sent, {failed} not sent", sent=tally.sent, failed=tally.failed)), err=True)


async def _look(delivery: Delivery, tally: _Tally, stopping: asyncio.Event, *, until_empty: bool) -> None:
    """Show how it goes where somebody watches, and end when nothing waits, if that is wanted."""
    shows = is_watched()
    begun = time.monotonic()
    while shows or until_empty:
        await asyncio.sleep(_LOOK)
        with contextlib.suppress(AuthmailError):
            found = await delivery.queue.engine.statistics()  # type: ignore[union-attr]
            waiting = found.states.get("queued", 0) - found.held + found.states.get("sending", 0)
            if shows:
                rate = tally.sent / (time.monotonic() - begun)
                line = say(
                    "{sent} sent, {failed} not sent, {waiting} waiting, {rate:.0f}/s",
                    sent=tally.sent,
                    failed=tally.failed,
                    waiting=waiting,
                    rate=rate,
                )
                print_progress(told(line))
            if until_empty and not waiting:
                stopping.set()
                break
    print_progress("")


@contextlib.asynccontextmanager
async def _health(delivery: Delivery, port: int | None) -> AsyncIterator[None]:
    """Answer GET /health while something else runs: 200 while the queue answers, 503 otherwise."""
    if port is None:
        yield
        return
    from aiohttp import web

    async def health(_: web.Request) -> web.Response:
        try:
            found = await delivery.queue.engine.statistics()  # type: ignore[union-attr]
        except AuthmailError as error:
            return web.json_response({"status": "unavailable", "why": str(error)}, status=503)
        return web.json_response(
            {"status": "ok", "states": found.states, "oldestSeconds": round(found.oldest, 3), "held": found.held}
        )

    application = web.Application()
    application.router.add_get("/health", health)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        try:
            await site.start()
        except OSError as error:
            raise click.ClickException(f"--health {port}: {error.strerror or error}") from None
        yield
    finally:
        await runner.cleanup()
