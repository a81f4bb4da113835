"""A worker in a process of its own, which waits for a line before it marks: ``python queue_process.py URL|SCHEMA``. Prints what it does."""

import asyncio
import sys

from server_queues import procrastinate

from authmail.delivery.ticket import TicketState
from authmail.queue import QueueError, Verdict


def tell(what):
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def main(argument):
    async with procrastinate(argument) as engine:

        async def handle(row):
            tell("took")
            await asyncio.to_thread(sys.stdin.readline)
            try:
                await engine.mark(row.ticket)
            except QueueError as error:
                tell(error)
                return Verdict(state=TicketState.QUEUED)
            tell("asks")
            return Verdict(state=TicketState.SENT)

        await engine.work(handle, concurrency=5, stop=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
