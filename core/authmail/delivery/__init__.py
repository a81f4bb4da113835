"""Policies around Mailers: retry, failover, routes, limits and no duplicates, all decided by the outcome.

Everything here is a sender around senders, so they nest::

    Delivery(Dedupe(Limits(Retry(Failover([Mailer(a, config), Mailer(b, config)])))))
"""

from typing import TYPE_CHECKING, Any

from authmail.delivery.alert import Alert, AlertCause
from authmail.delivery.alert_ways import AlertCommand, AlertMail, AlertWay, AlertWebhook
from authmail.delivery.alerts import Alerts
from authmail.delivery.breaker import Breaker
from authmail.delivery.dedupe import Dedupe
from authmail.delivery.delivery import Delivery
from authmail.delivery.failover import Failover
from authmail.delivery.file.composition import compose, load
from authmail.delivery.file.schema import file_schema
from authmail.delivery.limits import Limits
from authmail.delivery.pace import Pace
from authmail.delivery.retry import Retry
from authmail.delivery.routes import Route, Routes
from authmail.delivery.sender import MessageSender, Step, Wrapper
from authmail.delivery.stores import Begun, Claim, Entry, Limit, MemoryStore, Note, SQLiteStore, Store, StoreError, Turn
from authmail.delivery.stores.at import load_store
from authmail.delivery.stores.reports import StoreCheck, StoreStats
from authmail.delivery.unknown import OnUnknown

if TYPE_CHECKING:
    from authmail.delivery.stores.postgres import PostgresStore
    from authmail.delivery.stores.redis import RedisStore

# Loaded when they are first used: each needs an extra.
_OPTIONAL = {"PostgresStore": "postgres", "RedisStore": "redis"}


def __getattr__(name: str) -> Any:
    extra = _OPTIONAL.get(name)
    if extra is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(load_store(extra), name)


__all__ = [
    "Alert",
    "AlertCause",
    "AlertCommand",
    "AlertMail",
    "AlertWay",
    "AlertWebhook",
    "Alerts",
    "Begun",
    "Breaker",
    "Claim",
    "Dedupe",
    "Delivery",
    "Entry",
    "Failover",
    "Limit",
    "Limits",
    "MemoryStore",
    "MessageSender",
    "Note",
    "OnUnknown",
    "Pace",
    "PostgresStore",
    "RedisStore",
    "Retry",
    "Route",
    "Routes",
    "SQLiteStore",
    "Step",
    "Store",
    "StoreCheck",
    "StoreError",
    "StoreStats",
    "Turn",
    "Wrapper",
    "compose",
    "file_schema",
    "load",
]
