"""A process of the kit for stores: ``python -m authmail.testing.stores.process MAKER ARGUMENT send COUNT`` or ``die KEY``."""

import asyncio
import json
import os
import signal
import sys

from authmail.delivery import Limit, Store
from authmail.testing.rules_of_kits import make_by_name
from authmail.testing.stores.subject import begin, end

_LONG = 600.0


async def _send(store: Store, messages: int) -> None:
    """Begin so many messages, as three other processes do at the same time; print what became of each."""
    for number in range(messages):
        begun = await begin(store, f"m{number}", counts=(("recipient", Limit(10, _LONG)),))
        outcome = "repeat" if begun[1].entry else "limited" if begun[1].wait else "sent"
        sys.stdout.write(json.dumps([begun[0].key, outcome]) + "\n")
        if outcome == "sent":
            await end(store, begun, "sent")


async def _die(store: Store, key: str) -> None:
    await begin(store, key, lease=1.0, counts=(("c", Limit(1, _LONG)),))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    maker, argument, order, value = sys.argv[1:]
    made = make_by_name(maker, argument)
    asyncio.run(_send(made, int(value)) if order == "send" else _die(made, value))
