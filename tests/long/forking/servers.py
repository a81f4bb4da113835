"""Starts the provider and the servers of real life around the same application, and ends them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
# A server that does not listen by then does not start; in seconds.
_STARTING = 60.0
_ENDING = 20.0
#: A message's time, and mails that one recipient may have.
TIMEOUT = 5
MOST = 3
#: Beside ``authmail.toml``, the same without a store.
ALONE = "alone.toml"

_FILE = """
templates = "templates"
{store}

[senders.main]
connector = "aliyun-dm"
[senders.main.config]
{config}

[delivery]
timeout = {timeout}
hold = 3600  # on a slow machine a double click takes longer than half a minute

[limits]
recipient = {{ most = {most}, seconds = 3600 }}
"""


def command(kind, workers, port):
    """Return the command of a server by its kind; None where the application forks by itself."""
    python = [sys.executable, "-m"]
    gunicorn = [*python, "gunicorn", "forking.wsgi:application", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    gunicorn += ["--log-level", "warning", "--timeout", "60", "--graceful-timeout", "15"]
    return {
        "gunicorn": gunicorn,
        "gunicorn --preload": [*gunicorn, "--preload"],
        "uvicorn --workers": [
            *(*python, "uvicorn", "forking.asgi:application", "--port", str(port), "--workers", str(workers)),
            *("--log-level", "warning"),
        ],
        "celery prefork": [
            *(*python, "celery", "-A", "forking.tasks", "worker", "--pool", "prefork", "-c", str(workers)),
            *("--without-heartbeat", "--without-gossip", "--without-mingle", "-l", "WARNING"),
        ],
    }.get(kind)


@contextmanager
def provider(folder):
    """Run the provider; yields the path of an ``authmail.toml`` for it. What it accepted stands in ``mails.jsonl`` beside."""
    starting = [sys.executable, HERE / "ledger.py", folder / "mails.jsonl"]
    with subprocess.Popen(starting, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            config = json.loads(running.stdout.readline())
            (folder / "templates").mkdir()
            (folder / "templates" / "Generic.html").write_text("<title>{{code}} is your code</title><p>Hello, {{code}}.</p>")
            _write(folder / ALONE, config, store="")
            yield _write(folder / "authmail.toml", config, store='store = "authmail.db"')
        finally:
            running.stdin.close()


def _write(path, config, store):
    settings = "\n".join(f"{key} = {json.dumps(value)}" for key, value in config.items())
    path.write_text(_FILE.format(config=settings, store=store, timeout=TIMEOUT, most=MOST))
    return path


def environment(file, first=None):
    """Return the environment of an application; ``first`` is sent as it is imported."""
    chosen = dict(os.environ, AUTHMAIL_FILE=str(file), PYTHONPATH=str(HERE.parent))
    return chosen | ({} if first is None else {"AUTHMAIL_FIRST": json.dumps(first)})


@contextmanager
def server(kind, file, *, workers, first=None):
    """Run a server in a group of processes of its own; yields its port, or None where it has none."""
    port = None if kind.startswith("celery") else _unused_port()
    log = file.with_name("server.log")
    with log.open("wb") as output:
        running = subprocess.Popen(
            command(kind, workers, port), cwd=file.parent, env=environment(file, first), stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        if port is not None:
            _wait_for(port, running, log)
        yield port
    finally:
        # Celery takes five seconds to end, with or without us.
        running.send_signal(signal.SIGTERM) if port else os.killpg(running.pid, signal.SIGKILL)
        try:
            running.wait(_ENDING)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            raise AssertionError(f"{kind} did not end in {_ENDING:g} s: {log.read_text()[-2000:]}") from None


def _unused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(port, running, log):
    end = time.monotonic() + _STARTING
    while time.monotonic() < end:
        assert running.poll() is None, f"it ended: {log.read_text()[-2000:]}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"it does not listen: {log.read_text()[-2000:]}")
