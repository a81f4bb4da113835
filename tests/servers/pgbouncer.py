"""A real PgBouncer in front of a test's PostgreSQL server."""

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from store_servers import PostgresServer, free_port, program

_PATIENCE = 20.0


@contextmanager
def pgbouncer(server: PostgresServer) -> Iterator[str]:
    """Run a pooler in transaction mode within a block; give its URL of the server's first database."""
    runs = program("pgbouncer", "pgbouncer")
    # Not in pytest's own folder, which another run closes to other users.
    with TemporaryDirectory(prefix="authmail-pgbouncer-") as name:
        folder, port = Path(name), free_port()
        _configure(folder, port, server.port)
        process = _start(runs, folder)
        try:
            _wait_for(process, folder / "log")
            yield f"postgresql://authmail@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _configure(folder: Path, port: int, target: int) -> None:
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "trust",
        "auth_file": folder / "users",
        "pool_mode": "transaction",
        "logfile": folder / "log",
    }
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    database = f"[databases]\npostgres = host=127.0.0.1 port={target} dbname=postgres\n"
    (folder / "pgbouncer.ini").write_text(f"{database}[pgbouncer]\n{lines}")
    (folder / "users").write_text('"authmail" ""\n')


def _start(runs: str, folder: Path) -> subprocess.Popen[bytes]:
    lent = {}
    if os.getuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
        lent = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    command = [runs, str(folder / "pgbouncer.ini")]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **lent)


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _PATIENCE
    while not (log.exists() and "listening on" in log.read_text()):
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError("pgbouncer does not listen")
        time.sleep(0.02)
