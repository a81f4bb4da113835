"""Sockets that stay with the process that made them: in a forked child they are closed.

A child has a copy of each, and at its end Python and the clients of servers tidy up. An event loop's epoll is shared with the parent (epoll(7),
"Questions and answers", 6), so a transport that is closed in the child would no longer be heard in the parent, and TLS would say good-bye
for both.
"""

import os
import socket
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_Owner = TypeVar("_Owner")

# What has a socket → how it is closed without a word.
_owners: weakref.WeakKeyDictionary[object, Callable[[object], object]] = weakref.WeakKeyDictionary()


def new_socket(
    address_info: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]],
) -> socket.socket:
    """Make the socket for an address that is about to be connected to: a ``socket_factory`` of aiohttp and aiohappyeyeballs."""
    family, kind, protocol, _, _ = address_info
    made = socket.socket(family, kind, protocol)
    _owners[made] = _close_socket
    return made


def close_in_children(owner: _Owner, descriptor: Callable[[_Owner], int]) -> None:
    """See that a socket of a client of some server is closed in a forked child.

    Args:
        owner: what has it, for as long as it lives.
        descriptor: returns the socket's number, negative if it is closed.
    """
    _owners[owner] = lambda owner: os.close(descriptor(owner))  # type: ignore[arg-type]


def _close_socket(made: object) -> None:
    assert isinstance(made, socket.socket)  # noqa: S101 (made above)
    made.close()


def _close_all() -> None:
    for owner, close in list(_owners.items()):
        with suppress(Exception):  # it is closed already
            close(owner)
    _owners.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all)
