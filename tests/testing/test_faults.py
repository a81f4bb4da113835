import asyncio
import gc
import time

import pytest

from authmail import Egress, Email, Mailer, SendError
from authmail.http.client import Http
from authmail.http.reply import REPLY_LIMIT
from authmail.http.session import Transport
from authmail.outcomes import NoAnswerInTime
from authmail.testing.fault_server import Answer, FaultServer, deafness
from authmail.testing.faults import FAULTS

ALIYUN = "aliyun-direct-mail"
ACCEPTED = Answer(body=b'{"EnvId": "600000000000000001", "RequestId": "7F1C3E0A"}')
CANARY = "CANARY-482913"
QUICK = [fault for fault in FAULTS if not fault.waits]
WAITING = [fault for fault in FAULTS if fault.waits]


@pytest.fixture(scope="module", autouse=True)
def quick_collection():
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
async def nothing_is_left():
    """No task runs on, and no socket is left to be closed by the garbage collector, which would warn."""
    yield
    if left := asyncio.all_tasks() - {asyncio.current_task()}:  # the server's side of a failed handshake may be
        _, left = await asyncio.wait(left, timeout=2)
    assert not left
    gc.collect()


def mail(fault):
    return Email("zoe@example.com", "Your code", html=CANARY * (300_000 if fault.large else 1))


def mailer_for(server, raw):
    return Mailer(ALIYUN, raw | {"endpoint": server.url}, egress=Egress.ANY, ca_file=server.ca_file)


async def side_by_side(check, *arguments):
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for fault in WAITING:
            group.create_task(check(fault, *arguments))


def assert_told(error, fault):
    assert (type(error), error.phase, error.reason) == (fault.outcome, fault.phase, fault.reason), fault.name


def test_names_tell_faults_apart():
    """Each fault has a name of its own."""
    assert len({str(fault) for fault in FAULTS}) == len(FAULTS) > 80


async def check_transport(fault):
    async with fault.server() as server:
        async with asyncio.timeout(5 * fault.limit + 5), Transport(egress=Egress.ANY, ca_file=server.ca_file) as transport:
            http = Http(transport, time.monotonic() + fault.limit)
            try:
                answer = await http.post(server.url, body=b"x" * (8_000_000 if fault.large else 10))
            except SendError as error:
                assert fault.status is None
                assert_told(error, fault)
            else:
                assert answer.status == (200 if fault.outcome is None else fault.status)
                assert len(answer.body) <= REPLY_LIMIT
                assert fault.outcome is not None or answer.json() == {}
        await server.left()
    assert http.used == (fault.phase != "before")


@pytest.mark.parametrize("fault", QUICK, ids=str)
async def test_the_transport_tells_what_happened(fault):
    """Each fault has its outcome, phase and reason, or an answer to read, and the connection is closed."""
    await check_transport(fault)


async def test_the_transport_waits_no_longer_than_it_may():
    """The same where time runs out."""
    await side_by_side(check_transport)


async def check_message(fault, raw):
    async with fault.server(ACCEPTED) as server:
        async with asyncio.timeout(5 * fault.limit + 5), mailer_for(server, raw) as mailer:
            try:
                receipt = await mailer.send(mail(fault), timeout=fault.limit)
            except SendError as error:
                assert_told(error, fault)
                assert CANARY not in f"{error} {error!r} {error.to_dict()}"
                assert error.hint
            else:
                assert fault.outcome is None
                assert receipt.message_id == "600000000000000001"
        await server.left()
    assert server.connections <= 2


@pytest.mark.parametrize("fault", QUICK, ids=str)
async def test_a_message_that_meets_a_fault_has_its_outcome(fault, raw):
    """The same through a Mailer and a connector that may ask once more; nothing secret is told."""
    await check_message(fault, raw)


async def test_a_message_waits_no_longer_than_it_may(raw):
    """The same where time runs out."""
    await side_by_side(check_message, raw)


async def check_cancelling(fault, raw):
    async with fault.server(ACCEPTED) as server, mailer_for(server, raw) as mailer:
        sending = asyncio.create_task(mailer.send(mail(fault), timeout=20))
        await asyncio.sleep(0.5)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.left()


async def test_cancelling_leaves_nothing_open(raw):
    """Whatever is waited for, whoever cancels gets the CancelledError and the connection is closed."""
    await side_by_side(check_cancelling, raw)


async def check_closing(fault, raw):
    async with fault.server(ACCEPTED) as server:
        async with mailer_for(server, raw) as mailer:
            sending = asyncio.create_task(mailer.send(mail(fault), timeout=fault.limit))
            await asyncio.sleep(0.5)
        with pytest.raises(SendError) as caught:
            await sending
        assert caught.value.phase != "before" or not server.requests, fault.name
        await server.left()


async def test_closing_under_a_message_is_an_outcome(raw):
    """A message whose Mailer is closed tells how far it got; nothing is left open."""
    await side_by_side(check_closing, raw)


async def test_a_server_that_reads_nothing_keeps_no_connection():
    """When time is over, megabytes that nobody reads are dropped; they and their socket do not wait for the server."""
    received = 0

    async def late_reader(connection):
        nonlocal received
        await deafness(connection)
        while data := await connection.reader.read(65536):
            received += len(data)

    async with FaultServer([late_reader]) as server:
        async with Transport(egress=Egress.ANY) as transport:
            body = bytes(32_000_000)
            with pytest.raises(NoAnswerInTime):
                await Http(transport, time.monotonic() + 1).post(server.url, body=body)
        await server.left()
    assert 0 < received < 32_000_000
