"""A trace that goes on in the worker, with OpenTelemetry where its API is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

_HEADER = "traceparent"
_LONGEST = 128


def current_trace() -> str:
    """Return ``traceparent`` of the running trace (W3C Trace Context); empty where there is none."""
    if not _is_installed():
        return ""
    from opentelemetry.propagate import inject  # optional

    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get(_HEADER, "")[:_LONGEST]


@contextmanager
def resumed(trace: str) -> Iterator[None]:
    """Within this block the trace of a ``traceparent`` goes on."""
    if not trace or not _is_installed():
        yield
        return
    from opentelemetry.context import attach, detach
    from opentelemetry.propagate import extract

    token = attach(extract({_HEADER: trace}))
    try:
        yield
    finally:
        detach(token)


@cache  # which is asked for each message
def _is_installed() -> bool:
    try:
        return find_spec("opentelemetry.propagate") is not None
    except ModuleNotFoundError:
        return False
