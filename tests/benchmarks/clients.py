"""Those that are compared. Each sends the same mail: a sign-in code in the Chinese starter template.

What only one of them needs is imported where it is used, since memory and start-up are compared too.
"""

import hmac
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

CONFIG = {"accessKeyId": "id", "accessKeySecret": "secret", "accountName": "no-reply@mail.example.com", "fromAlias": "Acme"}

Send = Callable[[int], Any]


class Mail(NamedTuple):
    """What is sent, and the request that it becomes."""

    subject: str
    content: str
    headers: dict[str, str]
    body: str


class Client(NamedTuple):
    """One that is compared.

    Attributes:
        name: what the tables call it.
        open: gives a function that sends the n-th message; arguments: URL, file of the authority, the mail.
        blocking: it is called in threads.
        share: what part of the messages it sends, so that the slow ones do not take all day.
        tls_share: the same over TLS.
    """

    name: str
    open: Callable[[str, str, Mail], AbstractAsyncContextManager[Send]]
    blocking: bool = False
    share: float = 1.0
    tls_share: float = 1.0


def the_mail() -> Mail:
    """Return the mail, rendered and signed by authmail for one message."""
    from authmail import Email, get_connector
    from authmail.templates.samples import starter_templates
    from authmail_aliyun_dm.request import single_send_mail

    template = next(each for each in starter_templates() if (each.locale, each.usage_type) == ("zh-CN", "SignIn"))
    subject, html = (text.replace("{{code}}", "123456") for text in (template.subject, template.content))
    config = get_connector("aliyun-dm").validate_config(CONFIG, templates=[template])
    request = single_send_mail(Email("zoe@example.com", subject, html=html), config, nonce=uuid4().hex, now=datetime.now(UTC))
    return Mail(template.subject, template.content, dict(request.headers), request.body.decode())


def _session(url: str, ca_file: str) -> Any:
    import aiohttp

    tls = ssl.create_default_context(cafile=ca_file) if url.startswith("https") else True
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=0))


@asynccontextmanager
async def floor(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """Raw aiohttp, with a request that was built beforehand; the answer is not looked at."""
    body, headers = mail.body.encode(), mail.headers
    async with _session(url, ca_file) as session:

        async def send(_: int) -> bytes:
            async with session.post(url, data=body, headers=headers) as answer:
                return await answer.read()

        yield send


@asynccontextmanager
async def authmail(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """``Mailer.send`` with its defaults: choose and render a template, escape, sign (V3), post, read the answer."""
    from authmail import Egress, Mailer, Message, Template

    template = Template("SignIn", mail.subject, mail.content, locale="zh-CN")
    authority = ca_file if url.startswith("https") else None
    config = CONFIG | {"endpoint": url}
    async with Mailer("aliyun-dm", config, templates=[template], egress=Egress.ANY, ca_file=authority) as mailer:

        def send(number: int) -> Awaitable[object]:
            return mailer.send(Message("zoe@example.com", "SignIn", {"code": f"{number:06}", "locale": "zh-CN"}))

        yield send


@asynccontextmanager
async def mailer(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """The same, each message to another person: the baseline of ``delivery``."""
    from authmail import Egress, Mailer, Template

    template = Template("SignIn", mail.subject, mail.content, locale="zh-CN")
    async with Mailer("aliyun-dm", CONFIG | {"endpoint": url}, templates=[template], egress=Egress.ANY) as opened:
        yield lambda number: opened.send(_to_another(number))


@asynccontextmanager
async def delivery(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """The whole stack around two Mailers: dedupe, limits, retry, failover with breakers; stores in memory."""
    from authmail.delivery import Dedupe, Delivery, Failover, Limits, Retry

    async with Delivery(Dedupe(Limits(Retry(Failover(_two_mailers(url, mail)))))) as opened:
        yield lambda number: opened.send(_to_another(number))


@asynccontextmanager
async def from_file(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """The same as ``authmail.toml`` makes it: one store for all, also for the breakers, and alerts."""
    from authmail.delivery import Alerts, Breaker, Dedupe, Delivery, Failover, Limits, MemoryStore, Retry

    store = MemoryStore()
    breakers = [Breaker(mailer, name=name, store=store) for name, mailer in _two_mailers(url, mail).items()]
    limits = Limits(Retry(Failover(breakers)), store=store)
    async with Delivery(Dedupe(limits, store=store), plugins=[Alerts(store=store)]) as opened:
        yield lambda number: opened.send(_to_another(number))


@asynccontextmanager
async def through_all(url: str, mail: Mail, store: Any) -> AsyncIterator[Send]:
    """The same with a pace that holds nothing up, and any store."""
    from authmail.delivery import Alerts, Breaker, Dedupe, Delivery, Failover, Limits, Pace, Retry

    breakers = [
        Breaker(Pace(mailer, rate=1e5, burst=10_000, store=store), name=name, store=store)
        for name, mailer in _two_mailers(url, mail).items()
    ]
    limits = Limits(Retry(Failover(breakers)), store=store)
    async with Delivery(Dedupe(limits, store=store), plugins=[Alerts(store=store)]) as opened:
        yield lambda number: opened.send(_to_another(number))


def _two_mailers(url: str, mail: Mail) -> dict[str, Any]:
    from authmail import Egress, Mailer, Template

    template = Template("SignIn", mail.subject, mail.content, locale="zh-CN")
    config = CONFIG | {"endpoint": url}
    return {name: Mailer("aliyun-dm", config, templates=[template], egress=Egress.ANY) for name in ("one", "two")}


_sent = count()


def _to_another(number: int) -> Any:
    from authmail import Message

    return Message(f"user{next(_sent)}@example.com", "SignIn", {"code": f"{number:06}", "locale": "zh-CN"})


@asynccontextmanager
async def by_hand(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """The obvious code: str.replace, urlencode, a V3 signature, post, json. No escaping, no checks, no outcomes."""
    host = urlsplit(url).netloc
    async with _session(url, ca_file) as session:

        async def send(number: int) -> object:
            code = f"{number:06}"
            body = urlencode(
                {
                    "AccountName": CONFIG["accountName"], "AddressType": "1", "ReplyToAddress": "false", "ToAddress": "zoe@example.com",
                    "FromAlias": "Acme", "Subject": mail.subject.replace("{{code}}", code), "HtmlBody": mail.content.replace("{{code}}", code),
                }
            ).encode()  # fmt: skip
            headers = {
                "content-type": "application/x-www-form-urlencoded", "host": host, "x-acs-action": "SingleSendMail",
                "x-acs-content-sha256": sha256(body).hexdigest(), "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "x-acs-signature-nonce": uuid4().hex, "x-acs-version": "2015-11-23",
            }  # fmt: skip
            names = ";".join(sorted(headers))
            lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
            request = f"POST\n/\n\n{lines}\n{names}\n{headers['x-acs-content-sha256']}"
            text = f"ACS3-HMAC-SHA256\n{sha256(request.encode()).hexdigest()}"
            signature = hmac.new(b"secret", text.encode(), sha256).hexdigest()
            headers["authorization"] = f"ACS3-HMAC-SHA256 Credential=id,SignedHeaders={names},Signature={signature}"
            async with session.post(url, data=body, headers=headers) as answer:
                return json.loads(await answer.read())["EnvId"]

        yield send


def _official_sdk(url: str, ca_file: str, mail: Mail) -> tuple[Any, Callable[[int], tuple[Any, Any]]]:
    import warnings

    warnings.simplefilter("ignore")
    from alibabacloud_dm20151123.client import Client as Sdk
    from alibabacloud_dm20151123.models import SingleSendMailRequest
    from alibabacloud_tea_openapi.models import Config
    from darabonba.runtime import RuntimeOptions

    parts = urlsplit(url)
    client = Sdk(Config(access_key_id="id", access_key_secret="secret", protocol=parts.scheme, endpoint=parts.netloc))
    # A new trust store for every message keeps 100 in flight waiting for seconds.
    runtime = RuntimeOptions(ca=ca_file if parts.scheme == "https" else None, connect_timeout=60_000, read_timeout=60_000)

    def arguments(number: int) -> tuple[Any, Any]:
        code = f"{number:06}"
        request = SingleSendMailRequest(
            account_name=CONFIG["accountName"], address_type=1, reply_to_address=False, to_address="zoe@example.com",
            from_alias="Acme", subject=mail.subject.replace("{{code}}", code), html_body=mail.content.replace("{{code}}", code),
        )  # fmt: skip
        return request, runtime

    return client, arguments


@asynccontextmanager
async def sdk_async(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """The provider's own SDK, its async client."""
    client, arguments = _official_sdk(url, ca_file, mail)
    yield lambda number: client.single_send_mail_with_options_async(*arguments(number))


@asynccontextmanager
async def sdk_threads(url: str, ca_file: str, mail: Mail) -> AsyncIterator[Send]:
    """The provider's own SDK, its blocking client, a thread for each message in flight."""
    client, arguments = _official_sdk(url, ca_file, mail)
    yield lambda number: client.single_send_mail_with_options(*arguments(number))


CLIENTS = {
    client.name: client
    for client in (
        Client("floor", floor),
        Client("floor again", floor),
        Client("authmail", authmail),
        Client("by hand", by_hand),
        Client("SDK async", sdk_async, share=0.2, tls_share=0.05),
        Client("SDK threads", sdk_threads, blocking=True, share=0.2, tls_share=0.2),
        Client("mailer", mailer),
        Client("delivery", delivery),
        Client("delivery from a file", from_file),
    )
}
#: Those that are compared with the floor.
COMPARED = [name for name in CLIENTS if name not in ("mailer", "delivery", "delivery from a file")]
