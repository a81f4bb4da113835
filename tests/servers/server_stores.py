"""Stores of the servers, as the kit makes them in each process: ``URL|NAME``."""

from authmail.delivery import PostgresStore, RedisStore

SECRET = b"a secret of sixteen bytes or more"


def redis(argument: str) -> RedisStore:
    """Return a store with keys of its own."""
    url, _, prefix = argument.partition("|")
    return RedisStore(url, secret=SECRET, prefix=prefix)


def postgres(argument: str) -> PostgresStore:
    """Return a store with a schema of its own."""
    url, _, schema = argument.partition("|")
    return PostgresStore(url, secret=SECRET, schema=schema)
