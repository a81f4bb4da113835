"""The steps of a dialogue, in order, and how people read them."""

from enum import StrEnum


class Step(StrEnum):
    """Where in the dialogue something happened."""

    CONNECT = "connecting"
    GREETING = "waiting for the greeting"
    HELLO = "greeting the server (EHLO)"
    TLS = "negotiating TLS"
    LOGIN = "logging in"
    SENDER = "naming the sender (MAIL FROM)"
    RECIPIENT = "naming the recipient (RCPT TO)"
    DATA = "announcing the mail (DATA)"
    CONTENT = "handing over the mail"

    @property
    def is_of_message(self) -> bool:
        """Whether the recipient was named, so that a refusal may be about this message alone."""
        return self in (Step.RECIPIENT, Step.DATA, Step.CONTENT)
