"""The store at a path or URL: the same word from a laptop to a cluster."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import cast

from authmail.config.secret import Secret
from authmail.delivery.stores.memory import MemoryStore
from authmail.delivery.stores.sqlite import SQLiteStore
from authmail.delivery.stores.store import Store
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


def is_server(place: str) -> bool:
    """Whether this is the URL of a server, and no path."""
    return place.partition("://")[0] in _SERVERS and "://" in place


def store_at(place: Secret | None, folder: Path, secret: Secret | None) -> Store:
    """Return a store.

    Args:
        place: URL of a server, or a path; None for memory.
        folder: where a relative path starts.
        secret: key of its hashes; a server's store needs one.

    Raises:
        ValueError: the URL cannot be used, or its extra is not installed.
    """
    if place is None:
        return MemoryStore()
    text = place.reveal()
    if not is_server(text):
        return SQLiteStore(folder / text, secret=secret)
    if secret is None:
        raise ValueError(say("a store on a server needs storeSecret, the same on all machines"))
    extra = _SERVERS[text.partition("://")[0]]
    return cast("Store", getattr(load_store(extra), _CLASSES[extra])(place, secret=secret))


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
        problem = f"this store needs {error.name}; install authmail[{extra}]"
    raise ImportError(problem)
