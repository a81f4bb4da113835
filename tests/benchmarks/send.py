"""How much authmail costs on top of the HTTP request itself. Run it by hand: `.venv/bin/python tests/benchmarks/send.py`.

Everything runs in turns against one loopback server in a process of its own, and is compared with "floor", raw aiohttp
with a request that was built beforehand. Read the ratios; absolute figures depend on the machine.

- authmail: `Mailer.send` with its defaults: choose and render a template, escape, sign (V3), post, read the answer.
- by hand: the obvious code: str.replace, urlencode, a V3 signature, post, json.
- official SDK: its async client.
"""

import argparse
import asyncio
import hmac
import json
import multiprocessing
import time
import warnings
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp

import authmail
from authmail import Egress, Mailer, Message
from authmail.templates.samples import starter_templates
from authmail_aliyun_dm.request import single_send_mail

ANSWER = json.dumps({"EnvId": "600000000000000001", "RequestId": "12D086F6-8F31-4658-84C1-006DED011A85"}).encode()
CONFIG = {"accessKeyId": "id", "accessKeySecret": "secret", "accountName": "no-reply@mail.example.com", "fromAlias": "Acme"}
TEMPLATE = next(template for template in starter_templates() if (template.locale, template.usage_type) == ("zh-CN", "SignIn"))

Send = Callable[[int], Awaitable[object]]


class Provider(asyncio.Protocol):
    """Reads a request, answers; nothing more, so that it never limits the clients."""

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n") + 4) > 3:
            head = self.buffer[:end].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self.buffer) < end + length:
                return
            self.buffer = self.buffer[end + length :]
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER
            )


def serve(pipe):
    async def run():
        server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def measure(send: Send, count: int, in_flight: int) -> tuple[float, float]:
    """Return messages per second, and microseconds of CPU per message."""
    numbers = iter(range(count))

    async def work():
        for number in numbers:
            await send(number)

    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return count / (time.perf_counter() - begun), (time.process_time() - cpu) / count * 1e6


def by_hand(session: aiohttp.ClientSession, url: str) -> Send:
    async def send(number: int) -> object:
        code = f"{number:06}"
        form = {
            "AccountName": CONFIG["accountName"],
            "AddressType": "1",
            "ReplyToAddress": "false",
            "ToAddress": "zoe@example.com",
        }
        form |= {
            "FromAlias": "Acme",
            "Subject": TEMPLATE.subject.replace("{{code}}", code),
            "HtmlBody": TEMPLATE.content.replace("{{code}}", code),
        }
        body = urlencode(form).encode()
        headers = {
            "content-type": "application/x-www-form-urlencoded", "host": url[7:-1], "x-acs-action": "SingleSendMail",
            "x-acs-content-sha256": sha256(body).hexdigest(), "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
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

    return send


def official_sdk(url: str) -> Send:
    warnings.simplefilter("ignore")
    from alibabacloud_dm20151123.client import Client
    from alibabacloud_dm20151123.models import SingleSendMailRequest
    from alibabacloud_tea_openapi.models import Config

    client = Client(Config(access_key_id="id", access_key_secret="secret", protocol="http", endpoint=url[7:-1]))

    async def send(number: int) -> object:
        code = f"{number:06}"
        fields = {
            "account_name": CONFIG["accountName"],
            "address_type": 1,
            "reply_to_address": False,
            "to_address": "zoe@example.com",
        }
        fields |= {"subject": TEMPLATE.subject.replace("{{code}}", code), "html_body": TEMPLATE.content.replace("{{code}}", code)}
        return await client.single_send_mail_async(SingleSendMailRequest(**fields))

    return send


async def main(count: int, rounds: int, port: int) -> None:
    url = f"http://127.0.0.1:{port}/"
    connector = authmail.get_connector("aliyun-dm")
    raw = CONFIG | {"endpoint": url}
    async with Mailer(connector, raw, templates=[TEMPLATE], egress=Egress.ANY) as mailer, aiohttp.ClientSession() as session:
        email = await mailer.preview(Message("zoe@example.com", "SignIn", {"code": "123456"}))
        config = connector.validate_config(raw, templates=[TEMPLATE])
        request = single_send_mail(email, config, nonce=uuid4().hex, now=datetime.now(UTC))

        async def floor(_: int) -> object:
            async with session.post(url, data=request.body, headers=request.headers) as answer:
                return await answer.read()

        async def ours(number: int) -> object:
            return await mailer.send(Message("zoe@example.com", "SignIn", {"code": f"{number:06}", "locale": "zh-CN"}))

        clients: dict[str, Send] = {
            "floor": floor,
            "authmail": ours,
            "by hand": by_hand(session, url),
            "official SDK": official_sdk(url),
        }
        print("in flight  client         x messages/s  x CPU  CPU us")
        for in_flight in (1, 16, 100):
            results: dict[str, list[tuple[float, float]]] = {name: [] for name in clients}
            for send in clients.values():
                await measure(send, in_flight, in_flight)
            for _ in range(rounds):  # in turns, so that a noisy moment hits all of them
                for name, send in clients.items():
                    results[name].append(await measure(send, count // (5 if "SDK" in name else 1), in_flight))
            best = {name: (max(rate for rate, _ in values), min(cpu for _, cpu in values)) for name, values in results.items()}
            for name, (rate, cpu) in best.items():
                print(
                    f"{in_flight:>9}  {name:<13}  {rate / best['floor'][0]:>12.2f}  {cpu / best['floor'][1]:>5.2f}  {cpu:>6.0f}"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="messages per round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    asyncio.run(main(options.count, options.rounds, ours.recv()))
    process.terminate()
