"""Boxes open for the row that they belong to, with a key that is given, and for nobody else."""

import pickle
import traceback

import pytest

from authmail import Message, Secret
from authmail.queue import QueueKeys, new_key
from authmail.queue.queue import bound
from authmail.queue.sealing import BrokenBox, UnknownKey, key_id, read_key

PLAIN = b'{"code": "482913", "to": "zoe@example.com"}'
KEY = "dG8gYmUgdXNlZCBieSB0ZXN0cyBhbG9uZSwgMzIgYi4"  # one, so that tests have the same names each time
ROW = bound("ticket", "scope")


def test_a_box_opens_for_its_row():
    """With the key that sealed it."""
    keys = QueueKeys([Secret(KEY)])
    assert keys.open(keys.seal(PLAIN, ROW), ROW, keys.first).rstrip() == PLAIN


def test_each_box_is_another():
    """So that nobody sees that two messages are the same."""
    keys = QueueKeys([KEY])
    assert len({keys.seal(PLAIN, ROW) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "row", [bound("other", "scope"), bound("ticket", "other"), bound("ticketscope", ""), bound("", "ticketscope")]
)
def test_a_box_of_another_row_does_not_open(row):
    """Another ticket or scope, also where both together read alike."""
    keys = QueueKeys([KEY])
    with pytest.raises(BrokenBox, match="belongs to another row"):
        keys.open(keys.seal(PLAIN, ROW), row, keys.first)


def test_a_box_that_was_changed_does_not_open():
    """In any byte, or cut at any place."""
    keys = QueueKeys([KEY])
    box = keys.seal(PLAIN, ROW)
    for place in range(0, len(box), 7):
        for changed in (box[:place], box[:place] + bytes([box[place] ^ 1]) + box[place + 1 :]):
            with pytest.raises(BrokenBox):
                keys.open(changed, ROW, keys.first)


def test_a_box_under_the_id_of_another_key_does_not_open():
    """The id is bound to it."""
    one, two = new_key(), new_key()
    keys = QueueKeys([one, two])
    with pytest.raises(BrokenBox):
        keys.open(keys.seal(PLAIN, ROW), ROW, keys.ids[1])


def test_the_first_key_seals_and_all_open():
    """So keys can be changed while messages wait."""
    old, new = new_key(), new_key()
    before, both, after = QueueKeys([old]), QueueKeys([new, old]), QueueKeys([new])
    box = before.seal(PLAIN, ROW)
    assert both.open(box, ROW, before.first).rstrip() == PLAIN
    assert after.open(both.seal(PLAIN, ROW), ROW, both.first).rstrip() == PLAIN
    with pytest.raises(UnknownKey, match=before.first):
        after.open(box, ROW, before.first)


def test_the_length_of_a_box_tells_little():
    """A code or a link: what is shorter is filled up."""
    keys = QueueKeys([KEY])
    assert len(keys.seal(b"{}", ROW)) == len(keys.seal(PLAIN, ROW))


@pytest.mark.parametrize("text", [f" {KEY}\n", f"{KEY}=", KEY])
def test_a_key_may_have_blanks_and_padding_around_it(text):
    """As programs write them."""
    assert read_key(text) == read_key(KEY)


@pytest.mark.parametrize("text", ["", "short", KEY[:-2], KEY + "AAAA", "é" * 43, "*" * 43])
def test_what_is_no_key_is_refused_untold(text):
    """The error does not hold it."""
    with pytest.raises(ValueError, match="is no key of a queue") as caught:
        QueueKeys([text])
    assert not text or text not in str(caught.value)


def test_a_queue_needs_a_key():
    """Nothing is kept in clear."""
    with pytest.raises(ValueError, match="needs a key"):
        QueueKeys([])


def test_no_key_and_no_content_is_shown():
    """Not by repr, errors, tracebacks or pickles."""
    keys = QueueKeys([KEY])
    assert repr(keys) == f"QueueKeys({key_id(read_key(KEY))})"
    with pytest.raises(TypeError):
        pickle.dumps(keys)
    with pytest.raises(BrokenBox) as caught:
        keys.open(keys.seal(PLAIN, ROW)[:-1], ROW, keys.first)
    text = "".join(traceback.format_exception(caught.value))
    assert "482913" not in text
    assert KEY not in text
    assert caught.value.__cause__ is caught.value.__context__ is None


async def _swap(path, one, other):
    import sqlite3

    with sqlite3.connect(path) as connection:
        boxes = dict(connection.execute("SELECT ticket, box FROM queued").fetchall())
        connection.execute("UPDATE queued SET box = ? WHERE ticket = ?", (boxes[other], one))
        connection.execute("UPDATE queued SET box = ? WHERE ticket = ?", (boxes[one], other))
    connection.close()


async def test_swapped_boxes_are_sent_to_nobody(scene, tmp_path):
    """Whoever writes in the table cannot send one person's code to another."""
    here = scene()
    async with here.delivery:
        tickets = [await here.delivery.enqueue(Message(f"{who}@example.com", "SignIn", {"code": "482913"})) for who in "ab"]
        await _swap(tmp_path / "queue.db", *(ticket.id for ticket in tickets))
        async with here.working():
            for ticket in tickets:
                await here.until(ticket, "failed")
        assert here.asked == []
        assert "its box was changed" in (await here.delivery.state(tickets[0].id)).error.hint


async def test_a_message_waits_for_its_key(scene, code):
    """It is parked, an alert tells of it, and it goes on when the key is back."""
    other = new_key()
    here, there = scene(keys=[KEY]), scene(keys=[other])
    async with here.delivery:
        ticket = await here.delivery.enqueue(code)
    async with there.delivery:
        verdict = await there.handled(ticket)
        assert (verdict.state, verdict.tried, there.asked) == ("queued", False, [])
        assert there.heard.troubles == [("unknown_key", True)]
        assert await there.state(ticket) == "queued"
    back = scene(keys=[other, KEY])
    async with back.delivery:
        back.clock.now += 20
        assert (await back.handled(ticket)).state == "sent"


async def test_a_message_whose_key_never_comes_back_expires(scene, code):
    """And one that may have been sent stays in doubt."""
    here, there = scene(keys=[KEY]), scene(keys=[new_key()])
    async with here.delivery:
        one, two = [await here.delivery.enqueue(message) for message in (code, Message("b@example.com", "SignIn", {"code": "1"}))]
    async with there.delivery:
        there.clock.now += 601
        assert (await there.handled(one)).state == "expired"
        assert (await there.handled(two, marked=True)).state == "in doubt"
