"""Work beside messages: no message waits for it, and whoever began it waits when closing."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self

from authmail.privacy import log_of

_log = log_of("authmail")


class Beside:
    """Tasks that go on beside messages, each with a limit; a failure is logged by its type alone."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, what: str, work: Coroutine[Any, Any, object], seconds: float) -> asyncio.Task[None]:
        """Begin some work on the running loop.

        Args:
            what: it is, for the log.
            work: the coroutine.
            seconds: after which it is cancelled.
        """
        task = asyncio.create_task(_limited(what, work, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def end(self) -> None:
        """Wait for what was begun on this loop."""
        loop = asyncio.get_running_loop()
        current = asyncio.current_task()
        while tasks := [task for task in self._tasks if task.get_loop() is loop and task is not current]:
            await asyncio.wait(tasks)

    def abandon(self) -> None:
        """In a forked child: what was begun is the parent's."""
        self._tasks = set()

    def __bool__(self) -> bool:
        return bool(self._tasks)


async def _limited(what: str, work: Coroutine[Any, Any, object], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        _log.warning("%s took longer than %g seconds, and was ended", what, seconds)
    except Exception as error:  # noqa: BLE001 (nothing beside a message changes its answer)
        _log.warning("%s failed: %s", what, type(error).__name__)
