import pytest

from authmail import Message, MessageRejected, UsageType

LOGTO = {"to": "zoe@example.com", "type": "SignIn", "payload": {"code": "123456", "locale": "fr"}, "ip": "203.0.113.7"}


def test_reads_and_writes_logtos_json():
    """from_dict and to_dict are each other's reverse."""
    assert Message.from_dict(LOGTO) == Message("zoe@example.com", "SignIn", {"code": "123456", "locale": "fr"}, "203.0.113.7")
    assert Message.from_dict(LOGTO).to_dict() == LOGTO
    keyed = Message("a@b.c", "X", {}, idempotency_key="k")
    assert Message.from_dict(keyed.to_dict()) == keyed


def test_ignores_other_keys():
    """A newer server may send more."""
    assert Message.from_dict(LOGTO | {"new": 1}) == Message.from_dict(LOGTO)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": None}, "to"), ({"to": 1}, "to"), ({"type": []}, "type"), ({"payload": "x"}, "payload"), ({"payload": None}, "payload"),
        ({"payload": {"code": 123456}}, "payload.code"), ({"payload": {"link": {}}}, "payload.link"), ({"ip": 5}, "ip"),
    ],
)  # fmt: skip
def test_names_the_wrong_key(change, field):
    """A key of the wrong kind is a MessageRejected that names it and not its value."""
    with pytest.raises(MessageRejected, match=f"^rejected.*{field} must be") as caught:
        Message.from_dict(LOGTO | change)
    assert "123456" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_refuses_what_is_no_object(data):
    """Something that is no object is refused the same way."""
    with pytest.raises(MessageRejected, match="the message must be an object"):
        Message.from_dict(data)


def test_repr_hides_values():
    """A message in a log shows neither code, link, token nor most of the address."""
    message = Message("zoe@example.com", "SignIn", {"code": "123456", "link": "https://x/y", "token": "t0ken"})
    assert repr(message) == "Message(to='z***@example.com', type='SignIn', payload=<code, link, token>)"


@pytest.mark.parametrize(
    ("payload", "harmless"),
    [({"code": "1"}, True), ({"link": "x"}, False), ({"code": "1", "link": "x"}, False), ({}, False), ({"code": ""}, False)],
)
def test_only_a_code_may_come_twice(payload, harmless):
    """A second mail is harmless with a code and without a link."""
    assert Message("a@b.c", "SignIn", payload).repeatable is harmless


def test_types_are_logtos_and_one_more(vectors):
    """The nine types as Logto spells them, plus Notice."""
    cases = [case for case in vectors("logto/data_model")["cases"] if case["model"] == "template_type"]
    assert cases
    for case in cases:
        known = case["value"] in set(UsageType) - {UsageType.NOTICE}
        assert known == case["valid"], case["label"]
    assert len(UsageType) == 10


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: Message(["zoe@example.com"], "SignIn", {}),
            "Message.to is a text, not list; send one message to each recipient",
        ),
        (lambda: Message("zoe@example.com", None, {}), "Message.type is a text, not NoneType"),
        (
            lambda: Message("z@example.com", type="SignIn", code="1"),
            "Message has no 'code'; values for the template go into its payload",
        ),
    ],
)
def test_a_misplaced_argument_is_told(make, says):
    """With what would be right."""
    with pytest.raises(TypeError, match=says):
        make()
