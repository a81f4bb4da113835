"""Many tenants, each with a mail account of its own: one Mailer per tenant, kept while it is used, one session for all.

`python docs/examples/tenants.py` sends for three tenants into a sandbox and says what happened.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import authmail
from authmail import Egress, Mailer, Message, Receipt, SendError, Template
from authmail.sandbox import Sandbox


class _Kept:
    """A Mailer in the cache. It is closed when neither the cache nor a task uses it any more."""

    def __init__(self, version: int, mailer: Mailer) -> None:
        self.version = version
        self.mailer = mailer
        self.opened = asyncio.ensure_future(mailer.__aenter__())
        self.uses = 1  # the cache's own

    async def release(self) -> None:
        self.uses -= 1
        if self.uses == 0:
            self.opened.cancel()  # where it is still being opened
            await asyncio.wait([self.opened])
            await self.mailer.close()


class Tenants:
    """Mailers of tenants, made at a tenant's first mail.

    Args:
        load: gives connector, config and version of a tenant; a higher version replaces the Mailer.
        templates: for all tenants.
        most: how many Mailers stay open; the least recently used one goes first.
        egress: where tenants' configs may lead.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[tuple[str, dict[str, Any], int]]],
        templates: list[Template],
        *,
        most: int = 200,
        egress: Egress = Egress.PUBLIC,
    ) -> None:
        self._load = load
        self._templates = templates
        self._most = most
        self._egress = egress
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def __aenter__(self) -> Self:
        self._session = self._egress.session()  # checks each address that it connects to
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._kept:
            await self._kept.popitem()[1].release()
        await self._session.close()

    async def send(self, tenant: str, message: Message) -> Receipt:
        """Send a message with the tenant's account.

        Raises:
            ConfigError: the tenant's config cannot be used.
            SendError: as from any Mailer.
        """
        async with self._mailer(tenant) as mailer:
            return await mailer.send(message)

    @asynccontextmanager
    async def _mailer(self, tenant: str) -> AsyncIterator[Mailer]:
        connector, config, version = await self._load(tenant)
        # From here to the try nothing waits, so two tasks never make two Mailers for one tenant.
        dropped = []
        kept = self._kept.get(tenant)
        if kept is None or version > kept.version:
            mailer = Mailer(connector, config, templates=self._templates, session=self._session, egress=self._egress)
            dropped += [] if kept is None else [kept]
            kept = self._kept[tenant] = _Kept(version, mailer)
        self._kept.move_to_end(tenant)
        while len(self._kept) > self._most:
            dropped.append(self._kept.popitem(last=False)[1])
        kept.uses += 1
        try:
            for old in dropped:
                await old.release()
            await asyncio.shield(kept.opened)
            yield kept.mailer
        except SendError:
            if kept.opened.done() and kept.opened.exception() and self._kept.get(tenant) is kept:
                await self._kept.pop(tenant).release()  # it could not be opened: the next mail tries anew
            raise
        finally:
            await kept.release()


async def main() -> None:
    """Send for three tenants: one in order, one with a wrong secret, one who wants into the host's network."""
    connector = authmail.get_connector("aliyun-dm")
    templates = [Template("SignIn", "{{code}} is your code", "<p>Hello,</p><p>your code is <b>{{code}}</b>.</p>")]
    async with Sandbox({connector.id: connector.get_emulator()}) as sandbox:
        good = sandbox.config(connector.id)
        configs = {
            "acme": good,
            "globex": good | {"accessKeySecret": "mistyped"},
            "initech": good | {"endpoint": "http://169.254.169.254/latest/meta-data"},
        }

        async def load(tenant: str) -> tuple[str, dict[str, Any], int]:
            return connector.id, configs[tenant], 1  # from your database, decrypted, with the row's version

        # ANY only because the sandbox is on loopback. For tenants' configs keep the default, Egress.PUBLIC.
        async with Tenants(load, templates, egress=Egress.ANY) as tenants:
            for tenant in configs:
                message = Message(f"zoe@{tenant}.example", "SignIn", {"code": "123456"})
                try:
                    await tenants.send(tenant, message)
                    print(f"{tenant}: accepted")
                except SendError as error:
                    print(f"{tenant}: {error.outcome}, {error.reason}: {error.hint}")


if __name__ == "__main__":
    asyncio.run(main())
