"""Whether this process is one of several that serve the same people, as far as it can be noticed."""

import multiprocessing
import os
import sys

from authmail.privacy import log_of

_log = log_of("authmail.delivery")

_warned_in = 0


def noticed_server() -> str | None:
    """Return the server whose worker this process is, if it may have several; None where none is noticed."""
    if _several(os.environ.get("WEB_CONCURRENCY")):
        return "WEB_CONCURRENCY"
    if "gunicorn.arbiter" in sys.modules:
        return "gunicorn"
    if "uwsgi" in sys.modules:
        return "uWSGI"
    if "billiard.process" in sys.modules and "celery" in sys.modules:
        return "celery"
    if multiprocessing.parent_process() is not None:
        return "uvicorn" if "uvicorn" in sys.modules else "multiprocessing"
    return None


def warn_of_several_processes() -> None:
    """Say once a process that limits and repeats are its own alone, where it is likely one of several."""
    global _warned_in  # noqa: PLW0603 (a process is one)
    server = noticed_server()
    if server is not None and _warned_in != os.getpid():
        _warned_in = os.getpid()
        _log.warning(
            'limits and repeats are known in this process alone, and %s may run several: set store = "authmail.db" in the file, '
            "or give Dedupe and Limits a SQLiteStore",
            server,
        )


def _several(number: str | None) -> bool:
    return number is not None and number.isdigit() and number != "1"
