"""The queue that a ``[queue]`` table describes."""

from collections.abc import Iterator
from importlib import import_module

from authmail.delivery import SQLiteStore, Store
from authmail.delivery.file.settings import QueueSettings
from authmail.errors import ConfigError, Problem
from authmail.queue.engine import Engine
from authmail.queue.journal import Journal
from authmail.queue.queue import Queue
from authmail.queue.sealing import QueueKeys, read_key
from authmail.words.text import say


def queue_of(settings: QueueSettings, store: Store) -> Queue:
    """Return the queue of a file.

    Args:
        settings: the table.
        store: the file's store, in whose file or database the messages are.

    Raises:
        ConfigError: every problem of the table.
    """
    problems = list(_problems_of_keys(settings))
    engine: Engine | None = None
    try:
        engine = _engine(settings, store)
    except ConfigError as error:
        problems += error.problems
    if problems or engine is None:
        raise ConfigError(problems)
    keys = QueueKeys(settings.keys)
    return Queue(engine, keys, digest=store.digest, expires=settings.expires, concurrency=settings.concurrency)


def _problems_of_keys(settings: QueueSettings) -> Iterator[Problem]:
    hint = say("authmail key new makes one")
    if not settings.keys:
        yield Problem("queue.keys", say("must not be empty"), hint)
    for index, key in enumerate(settings.keys):
        try:
            read_key(key.reveal())
        except ValueError:
            yield Problem(f"queue.keys[{index}]", say("is no key of a queue"), hint)


def _engine(settings: QueueSettings, store: Store) -> Engine:
    of_file = isinstance(store, SQLiteStore)
    of_postgres = type(store).__name__ == "PostgresStore"
    if not of_file and not of_postgres:
        hint = say('store = "authmail.db" for one machine, postgresql://… for many')
        raise ConfigError([Problem("queue", say("needs a store that outlasts this process: a file, or PostgreSQL"), hint)])
    chosen = settings.engine or ("journal" if of_file else "procrastinate")
    if (chosen == "journal") != of_file:
        hint = say("journal goes with a file as store, procrastinate with PostgreSQL; leave engine out to have what fits")
        raise ConfigError([Problem("queue.engine", say("does not fit the store"), hint)])
    if of_file:
        assert isinstance(store, SQLiteStore)  # noqa: S101 (as of_file says)
        return Journal(store.path)
    try:
        made: Engine = import_module("authmail.queue.procrastinate").Procrastinate(store)
    except ImportError as error:
        missing = error.name
    else:
        return made
    problem = say("needs {module}, which is not installed", module=missing or "procrastinate")
    raise ConfigError([Problem("queue.engine", problem, say("pip install 'authmail[{extra}]'", extra="postgres"))])
