from pathlib import Path

from authmail.testing import ConnectorConformance


class TestBrevo(ConnectorConformance):
    """Brevo keeps every rule."""

    connector = "brevo-mail"
    config = {"apiKey": "xkeysib-canary_key_1", "from": "Acme <no-reply@mail.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "Brevo wants a UUID, so one that is made of the key goes along; nothing is repeated"}
