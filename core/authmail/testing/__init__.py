"""For tests of connectors and hosts: the conformance kit that every connector passes, faults, fixtures, a clock.

Needs the extra ``testing``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authmail.testing.conformance import ConnectorConformance

__all__ = ["ConnectorConformance"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: only that one needs pytest.
    if name == "ConnectorConformance":
        from authmail.testing.conformance import ConnectorConformance

        return ConnectorConformance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
