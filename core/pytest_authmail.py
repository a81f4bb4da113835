"""The pytest plugin: a sandbox and its inbox for tests of hosts.

A module of its own, outside the package: pytest loads it in every project that has authmail installed, so it imports
authmail only when a fixture is used.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from authmail.testing.served import ServedInbox, ServedSandbox


@pytest.fixture
def sandbox() -> "Iterator[ServedSandbox]":
    """Providers of all installed connectors on this machine; ``sandbox.config("aliyun-dm")`` leads there. One per test."""
    from authmail.testing.served import ServedSandbox

    with ServedSandbox() as running:
        yield running


@pytest.fixture
def inbox(sandbox: "ServedSandbox") -> "ServedInbox":
    """The mails that the sandbox accepted: ``await inbox.wait(to=…)``, or ``inbox.get(to=…)``; ``.code`` and ``.link``."""
    return sandbox.inbox
