"""What is measured. Each scenario takes what runs and gives rows for the report; all clients take turns."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from clients import CLIENTS, COMPARED, Client, Mail
from measure import Run, Watch, run

Row = dict[str, Any]


class Setting(NamedTuple):
    """What every scenario needs.

    Attributes:
        urls: way to answer → URL.
        ca_file: the authority of the TLS one.
        mail: what is sent.
        count: messages per run.
        rounds: how often each client has its turn.
        tell: shows progress.
    """

    urls: dict[str, str]
    ca_file: str
    mail: Mail
    count: int
    rounds: int
    tell: Callable[[str], None]


async def _in_turns(setting: Setting, names: Iterable[str], answering: str, in_flight: int) -> dict[str, list[Run]]:
    """Let each client send in every round, so that a noisy moment hits all of them."""
    runs: dict[str, list[Run]] = {}
    async with AsyncExitStack() as stack:
        opened = []
        for client in (CLIENTS[name] for name in names):
            send = await stack.enter_async_context(client.open(setting.urls[answering], setting.ca_file, setting.mail))
            opened.append((client, send))
            runs[client.name] = []
            await run(client, send, _count(client, answering, in_flight, in_flight), in_flight)  # connections and caches
        for number in range(setting.rounds):
            setting.tell(f"{answering}, {in_flight} in flight: round {number + 1} of {setting.rounds}")
            for client, send in opened:
                runs[client.name].append(await run(client, send, _count(client, answering, setting.count, in_flight), in_flight))
    return runs


def _count(client: Client, answering: str, count: int, in_flight: int) -> int:
    share = client.tls_share if answering == "tls" else client.share
    return max(int(count * share), min(in_flight, count), 1)


async def _throughput(setting: Setting, answering: str) -> list[Row]:
    rows = []
    for in_flight in (1, 16, 100):
        runs = await _in_turns(setting, COMPARED, answering, in_flight)
        for name, own in runs.items():
            # The best round of each: what else the machine does only ever adds.
            rate, cpu = max(one.rate for one in own), min(one.cpu for one in own)
            rows.append(
                {
                    "in flight": in_flight,
                    "client": name,
                    "x messages/s": round(rate / max(floor.rate for floor in runs["floor"]), 3),
                    "x CPU": round(cpu / min(floor.cpu for floor in runs["floor"]), 2),
                    "messages/s": round(rate),
                    "CPU us": round(cpu),
                    "p50 ms": round(min(one.percentile(50) for one in own), 2),
                    "p99 ms": round(min(one.percentile(99) for one in own), 2),
                }
            )
    return rows


async def http(setting: Setting) -> list[Row]:
    """How fast, over http: 1, 16 and 100 in flight; the best round of each, and its ratio to the floor."""
    return await _throughput(setting, "http")


async def tls(setting: Setting) -> list[Row]:
    """How fast, over TLS."""
    return await _throughput(setting, "tls")


async def delivery(setting: Setting) -> list[Row]:
    """What the whole delivery costs on top of a Mailer: dedupe, limits, retry, failover of two; in memory."""
    rows = []
    for in_flight in (1, 16, 100):
        runs = await _in_turns(setting, ("mailer", "delivery", "delivery from a file"), "http", in_flight)
        cpu = {name: min(one.cpu for one in own) for name, own in runs.items()}
        rate = {name: max(one.rate for one in own) for name, own in runs.items()}
        rows += [
            {
                "in flight": in_flight,
                "client": name,
                "x CPU of the Mailer": round(cpu[name] / cpu["mailer"], 2),
                "x messages/s": round(rate[name] / rate["mailer"], 2),
                "CPU us": round(cpu[name]),
            }
            for name in runs
        ]
    return rows


async def slow(setting: Setting) -> list[Row]:
    """A slow provider: 50 ms, one answer in a hundred after 2 s; 100 in flight."""
    names = ("floor", "floor again", "authmail", "by hand")
    runs = await _in_turns(setting._replace(count=max(setting.count * 2, 200), rounds=1), names, "slow", 100)
    return [
        {"client": name, "p50 ms": round(own.percentile(50), 1), "p90 ms": round(own.percentile(90), 1), "p99 ms": round(own.percentile(99), 1)}
        for name, (own,) in runs.items()
    ]  # fmt: skip


async def queue(setting: Setting) -> list[Row]:
    """Many messages waiting, 100 in flight, answers after 20 ms: memory, and how long the event loop stalled."""
    rows = []
    for count in (setting.count * 5, setting.count * 50):
        for client in (CLIENTS["floor"], CLIENTS["authmail"], CLIENTS["delivery"]):
            setting.tell(f"{count} queued: {client.name}")
            async with client.open(setting.urls["steady"], setting.ca_file, setting.mail) as send:
                await run(client, send, 200, 100)
                async with Watch() as watch:
                    done = await run(client, send, count, 100)
            rows.append(
                {
                    "queued": count,
                    "client": client.name,
                    "messages/s": round(done.rate),
                    "CPU us": round(done.cpu),
                    # The figures themselves are kept: a float and its place in the list.
                    "bytes/message": round(max(0, (watch.most - watch.before) * 1024 / count - 32)),
                    "longest stall ms": round(watch.stall * 1000, 1),
                    "p50 ms": round(done.percentile(50), 1),
                    "p99 ms": round(done.percentile(99), 1),
                }
            )
    return rows


async def memory(setting: Setting) -> list[Row]:
    """Memory of a fresh process: after the first answer, and for each of many messages in flight."""
    rows: list[Row] = []
    count = min(setting.count, 200)  # fewer than the connections that a Mailer opens
    for answering in ("http", "tls"):
        for name in ("floor", "authmail", "SDK async"):
            setting.tell(f"memory, {answering}: {name}")
            # Over TLS the provider answers at once, so that only the first figure means something there.
            held = setting.urls["held"] if answering == "http" and name != "SDK async" else ""
            question = {
                "name": name,
                "url": setting.urls[answering],
                "held": held,
                "ca_file": setting.ca_file,
                "mail": setting.mail,
                "count": count,
            }
            answer = await asyncio.to_thread(_child, json.dumps(question))
            rows.append({"over": answering, "client": name, **answer})
    return rows


def _child(question: str) -> Row:
    command = [sys.executable, str(Path(__file__).with_name("memory.py"))]
    answer: Row = json.loads(subprocess.run(command, input=question, capture_output=True, text=True, check=True).stdout)
    return answer


#: Programs whose start is compared.
_STARTS = {
    "aiohttp": "import aiohttp",
    "authmail: import": "import authmail",
    "authmail: list, validate": """
import authmail
authmail.connector_ids()
templates = [{"usageType": name, "subject": "s", "content": "{{code}}"} for name in ("SignIn", "Register", "ForgotPassword", "Generic")]
config = {"accessKeyId": "id", "accessKeySecret": "s", "accountName": "a@b.example", "templates": templates}
authmail.get_connector("aliyun-direct-mail").validate_config(config)
""",
    "authmail: ready to send": "import authmail.mailer; authmail.get_connector('aliyun-direct-mail'); import authmail_aliyun_dm.request",
    "SDK": "import alibabacloud_dm20151123.client",
}


async def imports(setting: Setting) -> list[Row]:
    """CPU of starting up, less that of the bare interpreter; compiled modules are there, as after an installation."""
    taken: dict[str, list[float]] = {name: [] for name in ("bare", *_STARTS)}
    with tempfile.TemporaryDirectory() as cache:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        for number in range(-1, setting.rounds * 2):
            setting.tell(f"imports: round {number + 1} of {setting.rounds * 2}")
            for name, values in taken.items():
                seconds = await asyncio.to_thread(_cpu_of, _STARTS.get(name, "pass"), environment)
                if number >= 0:
                    values.append(seconds * 1000)
    net = {name: [own - bare for own, bare in zip(values, taken["bare"], strict=True)] for name, values in taken.items()}
    return [
        {
            "start": name,
            "x aiohttp": round(median(own / theirs for own, theirs in zip(net[name], net["aiohttp"], strict=True)), 2),
            "CPU ms": round(median(net[name]), 1),
        }
        for name in _STARTS
    ]


def _cpu_of(code: str, environment: dict[str, str]) -> float:
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, code)
    return usage.ru_utime + usage.ru_stime


SCENARIOS = {scenario.__name__: scenario for scenario in (http, tls, delivery, slow, queue, memory, imports)}
