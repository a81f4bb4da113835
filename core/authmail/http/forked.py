"""Sockets that stay with the process that made them: in a forked child they are closed.

A child has a copy of each, and at its end Python and aiohttp tidy up. An event loop's epoll is shared with the parent (epoll(7), "Questions
and answers", 6), so a transport that is closed in the child would no longer be heard in the parent, and TLS would say good-bye for both.
"""

import os
import socket
import weakref

_sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def new_socket(
    address_info: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]],
) -> socket.socket:
    """Make the socket for an address that is about to be connected to: a ``socket_factory`` of aiohttp and aiohappyeyeballs."""
    family, kind, protocol, _, _ = address_info
    made = socket.socket(family, kind, protocol)
    _sockets.add(made)
    return made


def _close_all() -> None:
    for inherited in list(_sockets):
        inherited.close()
    _sockets.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all)
