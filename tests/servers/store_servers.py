"""Real Redis and PostgreSQL servers for tests: on a free loopback port, with data in a temporary folder, to be stopped, killed and restarted.

On a machine without the programs tests skip, with the reason; where ``CI`` is set they fail.
"""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

_PATIENCE = 20.0


def program(name: str, package: str) -> str:
    """Return where a program is; without it the test is skipped, or fails in CI."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *_postgres_folders()]))
    if found is None:
        word = f"{name} is not here; Debian's package {package} brings it"
        if os.environ.get("CI"):
            pytest.fail(word)
        pytest.skip(word)
    return found


def _postgres_folders() -> list[str]:
    return sorted((str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)


def free_port() -> int:
    """Return a port that nobody listens at, below those that Linux lends to clients: a server that is killed finds its own again."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class RedisServer:
    """A Redis server.

    Args:
        folder: for its data.
        options: more of redis-server's, such as ``--appendonly yes``.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._program = program("redis-server", "redis-server")
        self.folder = folder
        self.port = free_port()
        self.socket = folder / "redis.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        fixed = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--unixsocket",
            str(self.socket),
            "--save",
            "",
        ]
        self._process = subprocess.Popen(
            [self._program, *fixed, *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_for(lambda: _answers(self.socket))

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it hang; it accepts connections and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(how)
                process.send_signal(signal.SIGCONT)
            process.wait(_PATIENCE)


class PostgresServer:
    """A PostgreSQL server.

    Args:
        folder: for its data; root has another one made, which the server's user can read.
        options: of its configuration, such as ``max_connections=10``.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._initdb = program("initdb", "postgresql")
        self._control = program("pg_ctl", "postgresql")
        self.folder = folder
        self.port = free_port()
        self._options = ("fsync=off", *options)
        # It refuses to run as root, so root lends it to the user that Debian's package made.
        self._user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        if self._user is None:
            folder.mkdir(parents=True, exist_ok=True)
        else:  # pytest's folders are closed to others, again and again
            self.folder = Path(tempfile.mkdtemp(prefix="authmail-"))
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._run([self._initdb, "-D", str(self.folder / "data"), "-U", "authmail", "-A", "trust", "--no-sync"])

    @property
    def lent(self) -> dict[str, Any]:
        """As which user it runs, for subprocess."""
        user = self._user
        return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def keep(self, name: str, content: bytes) -> Path:
        """Write a file that the server can read, and others cannot; return where it is."""
        path = self.folder / name
        path.touch(0o600)
        path.write_bytes(content)
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)
        return path

    @property
    def url(self) -> str:
        """The server's URL; with a user who may do everything, and no password."""
        return f"postgresql://authmail@127.0.0.1:{self.port}/postgres"

    def url_of(self, database: str, user: str = "authmail") -> str:
        """Return the URL of another database or user."""
        return f"postgresql://{quote(user)}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {"port": self.port, "unix_socket_directories": self.folder, "listen_addresses": "127.0.0.1"}
        words = " ".join(f"-c {name}={value}" for name, value in settings.items()) + "".join(
            f" -c {one}" for one in self._options
        )
        self._run(
            [
                self._control,
                "-D",
                str(self.folder / "data"),
                "-o",
                words,
                "-l",
                str(self.folder / "log"),
                "-w",
                "-t",
                "20",
                "start",
            ]
        )

    def stop(self, mode: str = "fast") -> None:
        """End it; ``immediate`` is a crash."""
        self._run([self._control, "-D", str(self.folder / "data"), "-m", mode, "-w", "-t", "20", "stop"])

    def kill(self) -> None:
        """End it with all that it was about to do."""
        self.stop("immediate")

    def pause(self) -> None:
        """Let it hang: connections are made, and nothing is said."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=self.folder, **self.lent
        )  # type: ignore[call-overload]
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout.decode()[-400:]}")


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """Run a server within a block."""
    try:
        server.start()
        yield server
    finally:
        with suppress(RuntimeError):  # the test stopped it
            server.stop()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
            probe.sendall(b"PING\r\n")
            return bool(probe.recv(1))  # also where it asks for a password
        except OSError:
            return False


def _wait_for(holds) -> None:  # type: ignore[no-untyped-def]
    ends = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > ends:
            raise RuntimeError("the server does not answer")
        time.sleep(0.02)


class PgBouncer:
    """A pooler before a PostgreSQL server, in transaction mode.

    Args:
        folder: for its files.
        server: which it leads to.
        connections: the most to the server.
    """

    def __init__(self, folder: Path, server: PostgresServer, connections: int) -> None:
        self._program = program("pgbouncer", "pgbouncer")
        self._lent = server.lent
        self.port = free_port()
        self._file = folder / "pgbouncer.ini"
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": connections,
            "max_client_conn": 200,
        }
        words = "".join(f"{name} = {value}\n" for name, value in settings.items())
        database = f"postgres = host=127.0.0.1 port={server.port} user=authmail\n"
        self._file.write_text(f"[databases]\n{database}[pgbouncer]\n{words}")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's URL, by way of this."""
        return f"postgresql://authmail@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # It reads its file after it has become the user that may not read pytest's folders.
        with self._file.open("rb") as settings:
            command = [self._program, "/dev/stdin"]
            self._process = subprocess.Popen(command, stdin=settings, cwd="/", **silent, **self._lent)  # type: ignore[call-overload]
        _wait_for(lambda: _listens(self.port))

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(_PATIENCE)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
