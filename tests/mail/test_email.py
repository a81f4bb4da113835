import pytest

from authmail import Email, Mailbox


def test_takes_texts_or_mailboxes():
    """Addresses may be given as text."""
    email = Email("Zoë <zoe@example.com>", "Hi", text="x", reply_to="help@example.com", from_name="Acme", from_address="a@b.c")
    assert email.to == Mailbox("zoe@example.com", "Zoë")
    assert email.reply_to == Mailbox("help@example.com")
    assert email.from_address == Mailbox("a@b.c")


def test_subject_is_one_line():
    """Line breaks in a subject become blanks, so no header can be added."""
    assert Email("a@b.c", "Hi\r\nBcc: x@y.z", text="x").subject == "Hi Bcc: x@y.z"
    assert Email("a@b.c", "s", text="t", from_name="Acme\r\nBcc: x@y.z").from_name == "Acme Bcc: x@y.z"


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": "a@b.c, d@e.f"}, {"to": "a@b.c\r\nBcc: x@y.z"}, {"reply_to": "a@b.c\nX: y"}, {"headers": {"X\r\nY": "z"}},
        {"headers": {"X": "y\r\nBcc: x@y.z"}}, {"headers": {"X:": "y"}}, {"headers": {"": "y"}}, {"text": None},
    ],
)  # fmt: skip
def test_refuses_injection(arguments):
    """No address and no header can carry a line break or a second address, and a mail has a body."""
    with pytest.raises(ValueError):
        Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | arguments)


def test_repr_hides_subject_and_body():
    """A subject often has the code in it."""
    assert repr(Email("zoe@example.com", "123456 is it", html="<b>123456</b>")) == (
        "Email(to='z***@example.com', subject=<12 characters>, html=<13 characters>)"
    )


def test_the_sender_is_the_configured_one_but_for_what_the_mail_overrides():
    """Name, address, both or neither."""
    configured = Mailbox("no-reply@example.com", "Example")

    def sent_from(name="", address=None):
        return str(Email("a@b.c", "s", text="t", from_name=name, from_address=address).sent_from(configured))

    assert sent_from() == "Example <no-reply@example.com>"
    assert sent_from("Acme") == "Acme <no-reply@example.com>"
    assert sent_from(address="login@example.com") == "Example <login@example.com>"
    assert sent_from("Acme", "login@example.com") == "Acme <login@example.com>"
