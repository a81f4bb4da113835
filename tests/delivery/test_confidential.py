"""A provider that repeats what it got, however it spells it: nothing confidential gets out of a delivery, on any way."""

import json
import logging
import os
import pickle
import stat
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from spellings import SPELLINGS

from authmail import Egress, Mailer, Message, SendError, Template
from authmail.delivery import Claim, Dedupe, Delivery, Limit, SQLiteStore
from authmail.words.striking import Spellings

SECRET, CODE, LINK = "re_hunter2CANARY_77", "739154", "https://auth.example.com/reset?token=Qx7pL2-88"
TEMPLATE = Template("Generic", "{{code}}", "{{code}} {{link}}", content_type="text/plain")


@asynccontextmanager
async def echoing():
    """Serve a provider that says what a test sets: yield its URL and its next answer, a status and a text."""
    answer = {}

    async def reply(_):
        text = answer["text"]
        body = {"id": f"m-{text}", "name": f"c{text}", "message": f"You sent {text} to us", "statusCode": answer["status"]}
        headers = {"X-Request-Id": text} if text.isascii() and text.isprintable() else {}
        return web.json_response(body, status=answer["status"], headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", reply)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", answer
    finally:
        await runner.cleanup()


@pytest.fixture
def reader(monkeypatch):
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    yield reader
    provider.shutdown()


@pytest.mark.parametrize("status", [200, 401, 403, 422, 429, 500])
async def test_no_spelling_gets_out(status, tmp_path, caplog, reader):
    """Neither as an error nor as a Receipt; nor in its pickle, the log, a metric or the store's file."""
    caplog.set_level(logging.DEBUG)
    told = []
    config = {"apiKey": SECRET, "from": "Acme <no-reply@mail.example.com>"}
    async with echoing() as (url, answer):
        mailer = Mailer("resend-mail", config | {"endpoint": url}, templates=[TEMPLATE], egress=Egress.ANY)
        async with Delivery(Dedupe(mailer, store=SQLiteStore(tmp_path / "authmail.db"))) as delivery:
            for number, (confidential, spell) in enumerate((c, s) for c in (SECRET, CODE, LINK) for s in SPELLINGS.values()):
                spelt = spell(confidential.removeprefix("https://"))
                answer |= {"status": status, "text": spelt}
                message = Message("zoe@example.com", "SignIn", {"code": CODE, "link": LINK}, idempotency_key=str(number))
                try:
                    receipt = await delivery.send(message)
                    told.append((confidential, spelt, f"{receipt!r} {pickle.dumps(receipt)!r}"))
                except SendError as error:
                    told.append((confidential, spelt, f"{error} {error!r} {json.dumps(error.to_dict())} {pickle.dumps(error)!r}"))
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith(".key")).decode("latin-1")
    everywhere = f"{caplog.text} {reader.get_metrics_data().to_json()} {kept}"
    assert len(told) == 3 * len(SPELLINGS) >= 120
    for confidential, spelt, text in told:
        assert spelt not in text
        assert spelt not in everywhere
        assert Spellings([confidential]).strike(text) == text
    for confidential in (SECRET, CODE, LINK):
        assert confidential not in everywhere


@pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")
async def test_the_files_of_a_store_are_their_owners(tmp_path):
    """From the first byte, also what SQLite and we put beside the file; whatever the process's mask is."""
    mask = os.umask(0)
    try:
        async with SQLiteStore(tmp_path / "authmail.db") as store:
            assert (await store.begin(Claim(counts=(("key", Limit(1, 60)),)))).wait == 0
            rights = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert {"authmail.db", "authmail.db-wal", "authmail.db.key"} <= set(rights)
    assert set(rights.values()) == {0o600}
