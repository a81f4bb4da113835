import asyncio
import gc

import pytest

from authmail import ConnectionCut, MessageRejected, NoAnswerInTime, NotConnected, NotSent, NotSentInTime, SendError
from authmail_smtp import pool as pool_module

from .conftest import CODE


@pytest.fixture
def clock(monkeypatch):
    """Make connections look as if they had been used long ago."""

    def age(mailer, seconds, *, opened=False):
        for session, _ in mailer._client._idle:
            session.used_at -= seconds
            session.opened_at -= seconds if opened else 0

    return age


def said(server, word):
    return [line for line in server.heard if line.startswith(word)]


async def test_a_connection_is_used_again(scripted, mailer_to):
    """One login for many mails, one after the other, and QUIT at the end."""
    async with scripted() as server:
        async with mailer_to(server.port) as mailer:
            for _ in range(5):
                await mailer.send(CODE)
        assert (server.connections, len(server.mails), said(server, "AUTH")[1:], said(server, "NOOP")) == (1, 5, [], [])
        assert server.heard[-1] == "QUIT"


async def test_no_more_connections_than_allowed(scripted, mailer_to):
    """Mails wait for a place; each is sent once."""
    async with scripted() as server, mailer_to(server.port, maxConnections=3, timeout=20) as mailer:
        receipts = await asyncio.gather(*(mailer.send(CODE) for _ in range(20)))
    assert server.connections == 3
    assert len({receipt.message_id for receipt in receipts}) == len(server.mails) == 20


async def test_waiting_for_a_place_counts(scripted, mailer_to):
    """Whoever waits too long was not sent, and is told which setting says so."""
    async with scripted({"DOT": [None]}) as server, mailer_to(server.port, maxConnections=1) as mailer:
        first = asyncio.ensure_future(mailer.send(CODE, timeout=1.5))
        while not server.mails:  # noqa: ASYNC110 (nothing tells it)
            await asyncio.sleep(0.01)
        with pytest.raises(NotSentInTime, match="maxConnections"):
            await mailer.send(CODE, timeout=0.3)
        with pytest.raises(NoAnswerInTime):
            await first
        await mailer.send(CODE)


async def test_after_five_seconds_the_server_is_asked(scripted, mailer_to, clock):
    """NOOP first; not within them."""
    async with scripted() as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        clock(mailer, 4)
        await mailer.send(CODE)
        assert said(server, "NOOP") == []
        clock(mailer, 6)
        await mailer.send(CODE)
        assert (said(server, "NOOP"), server.connections) == (["NOOP"], 1)


@pytest.mark.parametrize("answer", ["421 4.4.2 idle too long!", "!", "451 what", "<html>", "250 a\r\n250 b"])
async def test_one_that_does_not_answer_well_is_replaced(scripted, mailer_to, clock, answer):
    """The mail goes over a new one."""
    async with scripted({"NOOP": answer}) as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        clock(mailer, 6)
        await mailer.send(CODE)
        assert (server.connections, len(server.mails)) == (2, 2)


async def test_one_that_does_not_answer_at_all_is_replaced(scripted, mailer_to, clock, monkeypatch):
    """Within the mail's time."""
    monkeypatch.setattr(pool_module, "_ALIVE_LIMIT", 0.1)
    async with scripted({"NOOP": None}) as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        clock(mailer, 6)
        await mailer.send(CODE)
        assert (server.connections, len(server.mails)) == (2, 2)


@pytest.mark.parametrize("farewell", [b"421 4.4.2 idle too long\r\n", b"", b"250 a late answer\r\n", b"451 4.4.2 timeout\r\n"])
@pytest.mark.parametrize("noticed", [True, False])
async def test_one_that_the_server_closed_while_idle_is_replaced(scripted, mailer_to, farewell, noticed):
    """Also where the close is only noticed while the next mail is under way."""
    async with scripted() as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        server.writers[0].write(farewell)
        server.writers[0].close()
        if noticed:
            await asyncio.sleep(0.1)
        receipt = await mailer.send(CODE)
        assert receipt.message_id.encode() in server.mails[-1]
        assert (server.connections, len(server.mails)) == (2, 2)


@pytest.mark.parametrize("answer", ["421 4.4.2 idle too long!", "451 4.4.2 Timeout waiting for data from client.!", "!"])
async def test_one_that_dies_at_the_next_mails_first_word_is_replaced(scripted, mailer_to, answer):
    """Nothing can have been accepted; a second death is told."""
    async with scripted({"MAIL": ["250 ok", answer]}) as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        await mailer.send(CODE)
        assert (server.connections, len(server.mails)) == (2, 2)
    async with scripted({"MAIL": ["250 ok", answer, answer]}) as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        with pytest.raises(SendError):
            await mailer.send(CODE)
        assert len(server.mails) == 1


async def test_a_late_answer_never_belongs_to_the_next_mail(scripted, mailer_to):
    """The first mail's 250 comes after its time; the second one is refused, and says so."""
    late = asyncio.Event()

    async def answer_late():
        await late.wait()
        return "250 2.0.0 the first one"

    async with scripted({"DOT": [answer_late, "554 5.7.1 spam"]}) as server, mailer_to(server.port) as mailer:
        with pytest.raises(NoAnswerInTime):
            await mailer.send(CODE, timeout=0.4)
        second = asyncio.ensure_future(mailer.send(CODE))
        late.set()
        with pytest.raises(MessageRejected):
            await second
        assert server.connections == 2


async def test_words_behind_an_answer_end_the_connection(scripted, mailer_to):
    """The mail was accepted; what else the server said must not be taken for an answer to the next one."""
    async with (
        scripted({"DOT": ["250 2.0.0 ok\r\n250 2.0.0 and more", "554 5.7.1 spam"]}) as server,
        mailer_to(server.port) as mailer,
    ):
        await mailer.send(CODE)
        with pytest.raises(MessageRejected):
            await mailer.send(CODE)
        assert server.connections == 2


async def test_after_a_refusal_the_server_is_told_to_forget(scripted, mailer_to):
    """RSET before the next mail over the same connection."""
    async with scripted({"RCPT": ["550 5.1.1 unknown"]}) as server, mailer_to(server.port) as mailer:
        with pytest.raises(MessageRejected):
            await mailer.send(CODE)
        await mailer.send(CODE)
        assert (server.connections, said(server, "RSET")) == (1, ["RSET"])


async def test_a_reply_out_of_order_ends_the_connection(scripted, mailer_to):
    """Whoever grants what was not asked for is out of step."""
    async with scripted({"RCPT": ["354 go on"]}) as server, mailer_to(server.port) as mailer:
        with pytest.raises(NotSent):
            await mailer.send(CODE)
        await mailer.send(CODE)
        assert (server.connections, said(server, "RSET")) == (2, [])


async def test_old_and_well_used_connections_end(scripted, mailer_to, clock, monkeypatch):
    """After ten minutes, or a hundred mails."""
    async with scripted() as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        clock(mailer, 601, opened=True)
        await mailer.send(CODE)
        assert server.connections == 2
        monkeypatch.setattr(pool_module, "MOST_MAILS", 3)
        for _ in range(3):
            await mailer.send(CODE)
        assert server.connections == 3


async def test_an_idle_connection_ends(scripted, mailer_to, monkeypatch):
    """With QUIT, by itself."""
    monkeypatch.setattr(pool_module, "IDLE", 0.05)
    async with scripted() as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
        while "QUIT" not in server.heard:  # noqa: ASYNC110 (nothing tells it)
            await asyncio.sleep(0.01)
        await mailer.send(CODE)
        assert server.connections == 2


@pytest.mark.parametrize("answers", [{"QUIT": None}, {"QUIT": "!"}, {"QUIT": "500 what"}])
async def test_closing_does_not_depend_on_the_servers_manners(scripted, mailer_to, answers):
    """And leaves nothing open."""
    async with scripted(answers) as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
    gc.collect()


async def test_a_cut_connection_is_not_kept(scripted, mailer_to):
    """After an unknown outcome nothing is sent again by itself."""
    async with scripted({"DOT": ["!"]}) as server, mailer_to(server.port) as mailer:
        with pytest.raises(ConnectionCut):
            await mailer.send(CODE)
        assert len(server.mails) == 1
        await mailer.send(CODE)
        assert (server.connections, len(server.mails)) == (2, 2)


async def test_a_cut_in_the_midst_of_an_answer(scripted, mailer_to):
    """Half of an answer is none."""
    async with scripted({"RCPT": ["250 2.1"]}) as server, mailer_to(server.port, timeout=1) as mailer:
        await mailer.send(CODE)
    async with scripted({"RCPT": ["250-a\r\n250-b!"]}) as server, mailer_to(server.port) as mailer:
        with pytest.raises(NotConnected):
            await mailer.send(CODE)
