"""The provider, in a process of its own: prints its settings, and writes each mail that it accepts into a file.

``python ledger.py FILE``
"""

import asyncio
import json
import sys
from pathlib import Path
from random import random

from authmail.sandbox import Inbox, Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

# A provider takes a moment before and after it accepts, so that forks and kills fall into both. In seconds.
MOMENT = 0.02


class Ledger(Inbox):
    """An inbox that forgets nothing."""

    def __init__(self, file):
        super().__init__()
        self._file = file

    def add(self, **fields):
        mail = super().add(**fields)
        self._file.write(json.dumps([mail.to[0], mail.code]) + "\n")
        self._file.flush()
        return mail


class SlowEmulator(DirectMailEmulator):
    """Direct Mail, a little slower."""

    async def handle(self, request, inbox):
        await asyncio.sleep(MOMENT * random())
        answer = await super().handle(request, inbox)
        await asyncio.sleep(MOMENT * random())
        return answer


async def main(file):
    """Serve until the starter closes our input."""
    sandbox = Sandbox({"aliyun-direct-mail": SlowEmulator()})
    sandbox.inbox = Ledger(file)
    async with sandbox:
        print(json.dumps(sandbox.config("aliyun-direct-mail")), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    with Path(sys.argv[1]).open("a") as opened:
        asyncio.run(main(opened))
