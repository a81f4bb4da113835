"""The connections that are kept for the next message."""

from typing import Any

import aiohttp
from aiohttp.connector import Connection


class Pool(aiohttp.TCPConnector):
    """Gives away no kept connection on which the server has spoken unasked: that would be read as the next answer."""

    async def connect(self, *asked: Any, **options: Any) -> Connection:
        """Return a kept connection that is as it should be, or a new one."""
        while True:
            connection = await super().connect(*asked, **options)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()
