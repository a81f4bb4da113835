"""Messages, templates, mailboxes, outcomes and secrets: what goes out comes back the same, and what is private stays so."""

import copy
import json
import logging
import pickle
import pprint
from email import message_from_string
from email.headerregistry import Address
from email.policy import default
from email.utils import parseaddr

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ADDRESSES, JSON, MAILBOXES, MESSAGES, NAMES, NEARLY_MAILBOXES, TEMPLATES, TEXT, UNICODE

from authmail import (
    ConfigError,
    Email,
    Mailbox,
    Message,
    MessageRejected,
    Phase,
    Problem,
    Reason,
    Receipt,
    Secret,
    SendError,
    Template,
)
from authmail.words.striking import Spellings


def kinds(kind=SendError):
    """Every kind of SendError that there is."""
    return [kind, *(each for subclass in kind.__subclasses__() for each in kinds(subclass))]


ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "hint": UNICODE,
        "reason": st.sampled_from(Reason) | st.sampled_from(Reason).map(str),
        "phase": st.sampled_from(Phase) | st.sampled_from(Phase).map(str),
        "code": st.none() | UNICODE,
        "status": st.none() | st.integers(100, 599),
        "request_id": st.none() | UNICODE,
        "retry_after": st.none() | st.floats(0, 1e6),
        "detail": st.none() | UNICODE | st.text("x", min_size=498, max_size=503),
        "connector": UNICODE,
    },
)


@given(TEMPLATES)
def test_a_template_survives_its_json(template):
    """Template.from_dict(template.to_dict()) == template."""
    assert Template.from_dict(template.to_dict()) == template


@given(MESSAGES)
def test_a_message_survives_its_json(message):
    """Message.from_dict(message.to_dict()) == message."""
    assert attrs.asdict(Message.from_dict(message.to_dict()), recurse=False) == attrs.asdict(message, recurse=False)


@given(JSON | st.dictionaries(st.sampled_from(["to", "type", "payload", "ip", "idempotencyKey", "code", "link"]), JSON))
def test_any_json_gives_a_message_or_a_refusal(data):
    """Never anything else, and neither shows a value of the payload."""
    try:
        message = Message.from_dict(data)
    except MessageRejected as error:
        assert error.reason is Reason.MESSAGE
    else:
        assert Message.from_dict(message.to_dict()).to == message.to
        assert repr(message)


@given(
    JSON | st.dictionaries(st.sampled_from(["usageType", "subject", "content", "contentType", "type", "text", "locale"]), JSON)
)
def test_any_json_gives_a_template_or_a_config_error(data):
    """Never anything else; and what was read survives being written."""
    try:
        template = Template.from_dict(data)
    except ConfigError as error:
        assert error.problems
    else:
        assert Template.from_dict(template.to_dict()) == template


@pytest.mark.parametrize("kind", kinds())
@given(attributes=ATTRIBUTES)
def test_an_outcome_survives_another_process_and_its_json(kind, attributes):
    """Pickled, copied, rebuilt from its dict or made afresh, an error is of the same kind and says the same."""
    error = kind(**attributes)
    told = error.to_dict()
    assert json.loads(json.dumps(told)) == told
    outcome, again = told.pop("outcome"), [pickle.loads(pickle.dumps(error)), copy.copy(error), error.afresh(), kind(**told)]
    for each in again:
        assert (type(each), each.outcome, str(each), each.to_dict()) == (kind, outcome, str(error), error.to_dict())
        assert (each.__cause__, each.__traceback__) == (None, None)


@given(TEXT, st.none() | TEXT, st.none() | TEXT, TEXT, st.lists(st.builds(Problem, TEXT, TEXT, TEXT)))
def test_receipts_and_config_errors_survive_another_process(message_id, request_id, detail, connector, problems):
    """Equal after pickling."""
    receipt, error = Receipt(message_id, request_id, detail, connector), ConfigError(problems)
    assert pickle.loads(pickle.dumps(receipt)) == receipt
    assert pickle.loads(pickle.dumps(error)).problems == problems
    assert str(error).count("\n") >= len(problems)


@given(MAILBOXES)
def test_a_mailbox_reads_back_as_itself(mailbox):
    """Mailbox.parse(str(mailbox)) == mailbox."""
    assert Mailbox.parse(str(mailbox)) == mailbox


@given(NEARLY_MAILBOXES)
def test_python_reads_what_is_taken_for_a_mailbox_as_the_same_single_one(text):
    """In a header no parser finds a second address, another address or another name."""
    try:
        mailbox = Mailbox.parse(text)
    except ValueError as error:
        assert type(error) is ValueError
        return
    assert Mailbox.parse(str(mailbox)).address == mailbox.address


@given(MAILBOXES)
def test_python_reads_the_mailboxes_that_we_write(mailbox):
    """Both parsers of the standard library find one address and the same name; and the same address, unless it is quoted."""
    (found,) = message_from_string(f"To: {mailbox}\n\n", policy=default)["To"].addresses
    assert found.display_name == mailbox.name
    if '"' not in mailbox.address:  # where the parsers take away quotes that are needed
        assert found.addr_spec == mailbox.address
        assert parseaddr(str(mailbox)) == (mailbox.name, mailbox.address)


@given(NAMES, ADDRESSES.filter(str.isascii))
def test_we_read_the_mailboxes_that_python_writes(name, address):
    """However email.headerregistry quotes name and address."""
    mailbox = Mailbox.parse(str(Address(name, addr_spec=address)))
    assert (mailbox.address, mailbox.name) == (address, name.strip())


@given(TEXT, TEXT, st.none() | TEXT, st.dictionaries(TEXT, TEXT, max_size=2))
def test_an_email_is_made_or_a_value_error_raised(to, subject, html, headers):
    """A host's values never put a line break into a header."""
    try:
        email = Email(to, subject, html=html, headers=headers)
    except ValueError:
        return
    assert len(email.subject.splitlines()) <= 1
    assert all(len(f"{name}{value}".splitlines()) <= 1 for name, value in email.headers.items())


@attrs.frozen
class Holder:
    secret: Secret


@given(st.text(min_size=4).map("canary".__add__))
def test_a_secret_never_shows(text):
    """Printed, formatted, logged, copied, hashed, turned into a dict: only reveal() gives the text."""
    secret = Secret(text)
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%s %r", (secret, secret), None)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        record.getMessage(),
        pprint.pformat([secret]),
    ]
    shown += [
        repr(Holder(secret)),
        repr(attrs.asdict(Holder(secret))),
        repr(vars(Secret)),
        repr(copy.deepcopy([secret])),
        str(dir(secret)),
    ]
    assert "canary" not in " ".join(shown)
    assert secret.reveal() == text
    for leave in (pickle.dumps, json.dumps, iter, len):
        with pytest.raises(TypeError) as caught:
            leave(secret)
        assert "canary" not in str(caught.value)


@given(st.text(), st.text())
def test_secrets_are_equal_as_their_texts_are(one, other):
    """And hash alike."""
    assert (Secret(one) == Secret(other)) == (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))
    assert bool(Secret(one)) == bool(one)


@given(st.text(), st.lists(st.text(max_size=12)))
def test_striking_out_leaves_nothing(text, confidential):
    """No confidential part of at least four characters is left."""
    result = Spellings(confidential).strike(" ".join([text, *confidential]))
    for part in confidential:
        bare = part.removeprefix("https://").removeprefix("http://")
        assert len(bare) < 4 or set(bare) <= set("* ") or bare not in result
