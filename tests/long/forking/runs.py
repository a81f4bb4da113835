"""One run: a server, clients that ask at once, workers killed meanwhile where that is wanted, and the judge."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from forking import servers
from forking.asks import Ask, asks, asks_alone
from forking.judge import Answered, Promise, judge, warned

# A client that hears nothing for so long hears of a hang; in seconds.
_PATIENCE = 60.0
# Beyond its time a send may take so long to end in order, on a machine that does much else meanwhile; in seconds.
_GRACE = 4.0
# A client whose worker died asks again, so often.
_TIMES = 5
KINDS = ("gunicorn", "gunicorn --preload", "uvicorn --workers", "celery prefork", "bare forks")


def run(kind, *, number, workers=4, kills=0, forks=0, seed=1, progress=lambda done: None):
    """Run one kind of server and return the judge's figures.

    Args:
        kind: one of :data:`KINDS`.
        number: asks.
        workers: processes of the server.
        kills: workers to kill meanwhile.
        forks: of a process by itself.
        seed: of the asks' order.
        progress: called with how many were answered since.
    """
    wanted = asks(number, servers.MOST, seed)
    alone = asks_alone(4 * workers)
    first = Ask(-1, "first@example.com", "999999")
    with TemporaryDirectory(prefix="authmail-forks-") as folder, servers.provider(Path(folder)) as file:
        began = time.perf_counter()
        before = first if kind in ("gunicorn --preload", "celery prefork") else None
        if kind == "bare forks":
            answers = _bare(file, [*wanted, *alone], forks, progress)
        else:
            with servers.server(kind, file, workers=workers, first=before and before.to_dict()) as port:
                if port is None:
                    answers = ask_by_queue(file, [*wanted, *alone], kills, progress)
                else:
                    answers = ask_by_http(port, [*wanted, *alone], 2 * workers, kills, progress)
        took = time.perf_counter() - began
        mails = [tuple(mail) for mail in _lines(file.with_name("mails.jsonl"))]
    if before is not None:  # by the process that forked
        assert first.mail in mails
        mails.remove(first.mail)
    aside = {ask.mail for ask in alone}
    promise = Promise(most=servers.MOST, seconds=servers.TIMEOUT + _GRACE, killed=bool(kills))
    figures = judge(
        wanted, [answer for answer in answers if not answer.is_alone], [mail for mail in mails if mail not in aside], promise
    )
    return figures | {"warned": warned(answers), "kills": kills, "forks": forks, "took seconds": round(took, 1)}


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class _Killer:
    """Kills workers while they answer, by the ids that they gave.

    Args:
        kills: how many.
        number: asks in all.
    """

    def __init__(self, kills, number):
        self._at = [(place + 1) * number // (kills + 1) for place in range(kills)]
        self._random = random.Random(1)
        self._done, self._seen = 0, {}
        self._lock = threading.Lock()

    def hear(self, answer):
        """Hear of an answer, and kill if it is time."""
        with self._lock:
            self._done += 1
            self._seen[answer.process] = None
            if self._at and self._done >= self._at[0]:
                self._at.pop(0)
                worker = self._random.choice(list(self._seen)[-4:])
                del self._seen[worker]
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)


def ask_by_http(port, wanted, at_once=4, kills=0, progress=lambda done: None):
    """Ask a web server, so many at once; a client whose worker died asks again."""
    killer = _Killer(kills, len(wanted))
    answers = []

    def ask_for(ask):
        for _ in range(_TIMES):
            try:
                answer = Answered(**_post(port, ask.to_dict()))
            except (OSError, http.client.HTTPException, ValueError):
                answers.append(Answered(ask.id, "nothing"))
                time.sleep(0.2)
            else:
                answers.append(answer)
                killer.hear(answer)
                break
        progress(1)

    with ThreadPoolExecutor(at_once) as clients:
        list(clients.map(ask_for, wanted))
    return answers


def _post(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def ask_by_queue(file, wanted, kills=0, progress=lambda done: None):
    """Put tasks into celery's folder, and read the answers' file as it grows."""
    subprocess.run(
        [sys.executable, "-c", _PUT], input=json.dumps([ask.to_dict() for ask in wanted]), text=True,
        cwd=file.parent, env=servers.environment(file), timeout=_PATIENCE, check=True, capture_output=True,
    )  # fmt: skip
    killer, answers, heard = _Killer(kills, len(wanted)), [], set()
    waited = time.monotonic()
    while len(heard) < len(wanted) and time.monotonic() - waited < _PATIENCE:
        time.sleep(0.02)
        fresh = [Answered(**line) for line in _lines(file.with_name("answers.jsonl"))[len(answers) :]]
        for answer in fresh:
            answers.append(answer)
            killer.hear(answer)
            waited = time.monotonic()
        progress(len({answer.id for answer in fresh} - heard))
        heard |= {answer.id for answer in fresh}
    return answers


_PUT = """
import json, sys
from forking.tasks import send
for ask in json.load(sys.stdin):
    send.delay(ask)
"""


def _bare(file, wanted, forks, progress):
    asked, answered = file.with_name("asks.jsonl"), file.with_name("answers.jsonl")
    asked.write_text("".join(json.dumps(ask.to_dict()) + "\n" for ask in wanted))
    command = [sys.executable, servers.HERE / "bare.py", asked, answered, str(forks)]
    errors = file.with_name("errors.log")
    with errors.open("w") as log, subprocess.Popen(
        command, env=servers.environment(file), stdout=subprocess.PIPE, stderr=log, text=True
    ) as running:  # fmt: skip
        seen, end = 0, time.monotonic() + _PATIENCE + forks
        while running.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
            now = len(_lines_written(answered))
            progress(now - seen)
            seen = now
        if running.poll() is None:
            running.kill()
        output = running.stdout.read()
    answers = [Answered(**line) for line in _lines(answered)]
    lost = json.loads(output)["lost"] if output else "the parent hung"
    said = errors.read_text().strip()
    if lost or said:
        answers.append(Answered(-1, f"children that hung or failed: {lost}; {said[-1500:]}"))
    return answers


def _lines_written(path):
    return path.read_bytes().splitlines() if path.exists() else []
