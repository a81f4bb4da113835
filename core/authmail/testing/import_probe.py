"""Run in a process of its own: what a connector does while it is imported, described and validated.

Reads ``{"id", "config", "path"}`` from standard input, prints ``{"events", "loaded", "error"}``.
"""

import json
import sys
import sysconfig
from pathlib import Path
from typing import Any

_WATCHED = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.bind",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "urllib.Request",
)
_HEAVY = ("aiohttp", "aiosmtplib", "httpx", "requests", "urllib3")


def main() -> None:
    """Import, describe, validate, and tell."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["path"]
    import authmail  # noqa: F401 (its own imports are no business of the connector)

    json.dump(probe(asked), sys.stdout)


def probe(asked: dict[str, Any]) -> dict[str, Any]:
    """Do it in this process, which is watched from then on."""
    import authmail

    before = set(sys.modules)
    allowed = _allowed()
    events: list[str] = []
    active = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if active and event in _WATCHED:
            events.append(f"{event} {arguments[1:2] or arguments[:1]!r:.200}")
        elif active and event == "open" and isinstance(arguments[0], str | bytes):
            file, mode = str(arguments[0]), str(arguments[1] or "r")
            # Reading what was installed is how Python imports and how a connector reads its own files.
            if set(mode) & set("wax+") or not file.startswith(allowed):
                events.append(f"open {file!r} {mode}")

    sys.addaudithook(watch)
    error = ""
    try:
        connector = authmail.get_connector(asked["id"])
        connector.metadata.to_dict()
        connector.validate_config(asked["config"], templates=True)
    except authmail.AuthmailError as raised:
        error = str(raised)
    active = False
    return {"events": events, "loaded": [name for name in _HEAVY if name in sys.modules and name not in before], "error": error}


def _allowed() -> tuple[str, ...]:
    paths = {*sysconfig.get_paths().values(), sys.base_prefix, sys.prefix, *(entry for entry in sys.path if entry)}
    return (
        tuple(str(Path(path).resolve()) for path in paths)
        + tuple(paths)
        + ("/proc/", "/dev/null", "/etc/localtime", "/usr/share/zoneinfo")
    )


if __name__ == "__main__":
    main()
