"""Run by the memory scenario in a process of its own: one client, and the memory that it takes. JSON in, JSON out."""

import asyncio
import json
import sys

from clients import CLIENTS, Mail
from measure import resident_kib, run


async def main(question):
    client, mail = CLIENTS[question["name"]], Mail(*question["mail"])
    async with client.open(question["url"], question["ca_file"], mail) as send:
        await send(1)
        first = resident_kib()
    answer = {"MiB after the first answer": round(first / 1024, 1), "KiB per message in flight": None}
    if question["held"]:
        async with client.open(question["held"], question["ca_file"], mail) as send:
            await send(1)
            before = resident_kib()
            flight = asyncio.create_task(run(client, send, question["count"], question["count"]))
            await asyncio.sleep(0.9)
            answer["KiB per message in flight"] = round((resident_kib() - before) / question["count"], 1)
            await flight
    print(json.dumps(answer))


asyncio.run(main(json.load(sys.stdin)))
