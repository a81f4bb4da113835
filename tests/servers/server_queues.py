"""Queues in PostgreSQL, as the kit makes them in each process: ``URL|SCHEMA``."""

from server_stores import postgres

from authmail.queue.procrastinate import Procrastinate


def procrastinate(argument: str) -> Procrastinate:
    """Return a queue in a schema of its own."""
    return Procrastinate(postgres(argument))
