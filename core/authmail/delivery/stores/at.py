"""The store at a path or URL: the same word from a laptop to a cluster."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import cast

from authmail.config.secret import Secret
from authmail.delivery.stores.memory import MemoryStore
from authmail.delivery.stores.sqlite import SQLiteStore
from authmail.delivery.stores.store import Store
from authmail.errors import ConfigError, Problem
from authmail.words.text import say

# Scheme → extra, which has the module's name too.
_SERVERS = {
    "redis": "redis",
    "rediss": "redis",
    "unix": "redis",
    "valkey": "redis",
    "valkeys": "redis",
    "postgresql": "postgres",
    "postgres": "postgres",
}
_CLASSES = {"redis": "RedisStore", "postgres": "PostgresStore"}
_FORMS = {"redis": "redis://user:password@host:6379/0", "postgres": "postgresql://user:password@host:5432/database"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]*")


def is_server(place: str) -> bool:
    """Whether this is the URL of a server, known or not, and no path."""
    scheme, separator, _ = place.partition("://")
    return bool(separator and _SCHEME.fullmatch(scheme))


def missing_secret(place: Secret | None, secret: Secret | None) -> Problem | None:
    """Return the problem of a server's store without a secret: machines that made one each would not know each other's messages."""
    if secret is not None or place is None or place.reveal().partition("://")[0] not in _SERVERS or not is_server(place.reveal()):
        return None
    hint = say("16 characters or more, the same on all machines, and never kept on that server: openssl rand -hex 32 makes one")
    return Problem("storeSecret", say("is required for a store on a server"), hint)


def store_at(place: Secret | None, folder: Path, secret: Secret | None) -> Store:
    """Return a store.

    Args:
        place: URL of a server, or a path; None for memory.
        folder: where a relative path starts.
        secret: key of its hashes; a server's store needs one.

    Raises:
        ConfigError: the URL cannot be used, or its extra is not installed; the URL is not quoted.
    """
    if place is None:
        return MemoryStore()
    text = place.reveal()
    if not is_server(text):
        return SQLiteStore(folder / text, secret=secret)
    extra = _SERVERS.get(text.partition("://")[0])
    if extra is None:
        message = say("names a kind of server that is not known here")
        known = ", ".join(f"{scheme}://" for scheme in _SERVERS)
        problem = Problem("store", message, say("known are {known}, and a path for an SQLite file", known=known))
    elif missing := missing_secret(place, secret):
        problem = missing
    else:
        try:
            return cast("Store", getattr(load_store(extra), _CLASSES[extra])(place, secret=secret))
        except ImportError as error:
            install = say("pip install 'authmail[{extra}]'", extra=extra)
            problem = Problem("store", say("needs {module}, which is not installed", module=error.name or extra), install)
        except ValueError:  # its text is for whoever writes code
            hint = say("it is {form}; in user and password write @ as %40, / as %2F, # as %23 and ? as %3F", form=_FORMS[extra])
            problem = Problem("store", say("is a URL that cannot be read"), hint)
    raise ConfigError([problem])


def load_store(extra: str) -> ModuleType:
    """Import the module of a store on a server.

    Args:
        extra: ``redis`` or ``postgres``.

    Raises:
        ImportError: what it needs is not installed, and how to install it.
    """
    try:
        return import_module(f"authmail.delivery.stores.{extra}")
    except ImportError as error:
        if (error.name or "").startswith("authmail"):
            raise
        missing = error.name
    raise ImportError(f"this store needs {missing}; pip install 'authmail[{extra}]'", name=missing)
