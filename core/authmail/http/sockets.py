"""One TCP connection for connectors that speak no HTTP: egress checked on the address connected to, faults → outcomes."""

import asyncio
import socket

from aiohappyeyeballs import start_connection

from authmail.http.egress import Egress, refuse_address
from authmail.http.faults import unconnected
from authmail.http.forked import new_socket
from authmail.outcomes import AccountError, Phase, Reason, SendError
from authmail.words.text import say

# RFC 8305: how long one address is tried alone before the next one is tried beside it.
_NEXT_ADDRESS = 0.25


async def connect(egress: Egress, host: str, port: int, seconds: float, local_address: str | None = None) -> socket.socket:
    """Connect to the first address of a host that answers.

    Args:
        egress: where connections may go.
        host: a name or an IP address.
        port: 1 to 65535.
        seconds: for look-up and connection together.
        local_address: IP address of this machine to connect from.

    Returns:
        A connected socket that does not block.

    Raises:
        NotSent: the name could not be resolved, no address answered, or not in time.
        AccountError: reason endpoint: the policy allows none of the host's addresses, or the local one is not ours.
    """
    egress.check_host(host)
    failure: SendError
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            allowed = [entry for entry in found if egress.allows(str(entry[4][0]))]
            if not allowed:
                raise refuse_address(host[:100])
            local = await _local(local_address) if local_address else None
            return await start_connection(
                allowed, local_addr_infos=local, happy_eyeballs_delay=_NEXT_ADDRESS, interleave=1, socket_factory=new_socket
            )
    except (TimeoutError, UnicodeError, OSError) as error:
        unresolved = isinstance(error, socket.gaierror | UnicodeError)
        failure = unconnected(error, host[:100] if unresolved else f"{host[:100]}:{port}")
    raise failure


async def _local(address: str) -> list[tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]]:
    try:
        numeric = socket.AI_NUMERICHOST
        found = await asyncio.get_running_loop().getaddrinfo(address, 0, type=socket.SOCK_STREAM, flags=numeric)
        family, kind, protocol, _, local = found[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.bind(local)
    except OSError:
        hint = say("the local address {address} is not one of this machine's", address=address[:50])
        raise AccountError(hint, reason=Reason.CONFIG, phase=Phase.BEFORE) from None
    return [(family, kind, protocol, "", local)]  # type: ignore[list-item]  # typeshed allows AF_UNIX-like addresses too
