"""What servers in use answer, one reply a test, and what must come of it; each row of the table decides for one of them."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from authmail import Phase
from authmail_smtp.replies import Reply, failure, receipt, row_for
from authmail_smtp.reply_codes import ROWS
from authmail_smtp.reply_ids import FORMS
from authmail_smtp.reply_text import one_line, readable, words_of
from authmail_smtp.steps import Step

VECTORS = Path(__file__).parents[2] / "vectors" / "smtp"
REPLIES = json.loads((VECTORS / "replies.json").read_text("utf-8"))
ACCEPTED = json.loads((VECTORS / "accepted.json").read_text("utf-8"))


def name(entry):
    return f"{entry['provider']}-{entry.get('step', 'accepted')}-{one_line(entry['text'])[:50]}"


def reply_of(entry):
    """Return the reply as it comes over the wire: in the server's own encoding."""
    return Reply(entry.get("code", 250), readable(entry["text"].encode(entry.get("charset", "utf-8"))))


def deciding(entry):
    reply = reply_of(entry)
    return row_for(Step[entry["step"].upper()], reply, words_of(reply.text))


@pytest.mark.parametrize("entry", REPLIES, ids=name)
def test_a_reply_of_the_corpus(entry):
    """Outcome and reason, the wait where it tells one, the phase by the step, and the server's words."""
    step = Step[entry["step"].upper()]
    error = failure(step, reply_of(entry), "mx.example.com:587")
    assert (type(error).__name__, str(error.reason)) == (entry["outcome"], entry["reason"]), error
    assert error.phase is (Phase.AFTER if entry["step"] in ("recipient", "data", "content") else Phase.DURING)
    assert error.status == entry["code"]
    assert error.detail == one_line(entry["text"])
    assert "retry_after" not in entry or error.retry_after == entry["retry_after"]


@pytest.mark.parametrize("entry", ACCEPTED, ids=name)
def test_the_id_that_support_asks_for(entry):
    """In every form; a mail without a readable one is accepted all the same."""
    got = receipt(reply_of(entry), "<x@y.z>")
    assert (got.message_id, got.request_id, got.detail) == ("<x@y.z>", entry["id"], one_line(entry["text"]) or None)


def test_every_reply_has_a_source_or_is_ours():
    """Facts are somebody's; what we made up to try other words is marked."""
    for entry in REPLIES + ACCEPTED:
        assert bool(entry.get("source")) != (entry.get("wording") == "ours"), entry
    assert sum("source" in entry for entry in REPLIES) >= 150


def test_every_row_decides_for_a_reply():
    """None is hidden behind an earlier one, and none is there for nobody; each names what it stands on."""
    decided = {id(deciding(entry)) for entry in REPLIES}
    assert [row for row in ROWS if id(row) not in decided] == []
    assert [row for row in ROWS if not row.source or not row.meaning.hint] == []


def test_every_form_of_an_id_is_seen():
    """Each form is the first that fits some reply."""
    firsts = {next((form.source for form in FORMS if form.pattern.search(one_line(entry["text"]))), None) for entry in ACCEPTED}
    assert [form.source for form in FORMS if form.source not in firsts] == []


def test_each_kind_of_trouble_is_told_in_other_words_too():
    """A kind that is known by words is known by ours too, which no provider wrote."""
    kinds = defaultdict(set)
    for entry in REPLIES:
        row = deciding(entry)
        if row.words is not None:
            kinds[entry["outcome"], entry["reason"]].add(entry.get("wording", "theirs"))
    assert [kind for kind, wordings in kinds.items() if wordings != {"ours", "theirs"}] == []


@pytest.mark.parametrize(
    "address",
    [
        "daily.sending.quota.exceeded@example.com", "spam@blacklist.example", "relay@throttled.example", "zoe@suspended-account.example",
        "authentication.required@starttls.example", "not-verified@greylist.example", "too-many-mails@rate-limit.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "text", ["<{address}>: user unknown", "{address}... No such user", "Domain {domain} does not exist ({address})"]
)
def test_an_address_does_not_choose_how_its_refusal_is_read(address, text):
    """Else whoever types it stops everybody's mail: the account's trouble rests the provider, and raises an alarm."""
    said = text.format(address=address, domain=address.partition("@")[2])
    error = failure(Step.RECIPIENT, Reply(550, f"5.1.1 {said}"))
    assert (type(error).__name__, str(error.reason)) == ("MessageRejected", "recipient")
