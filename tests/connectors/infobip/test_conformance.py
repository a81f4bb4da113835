from pathlib import Path

from authmail.testing import ConnectorConformance


class TestInfobip(ConnectorConformance):
    """Infobip keeps every rule."""

    connector = "infobip-mail"
    config = {"apiKey": "key-canary-0123456789", "from": "Acme <no-reply@mail.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {
        "idempotency-key": "Infobip documents none, so nothing is repeated",
        "reply-to-name": "Infobip describes an address alone, and replies reach it all the same",
    }
