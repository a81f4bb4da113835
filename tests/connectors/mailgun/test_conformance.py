from pathlib import Path

from authmail.testing import ConnectorConformance


class TestMailgun(ConnectorConformance):
    """Mailgun keeps every rule."""

    connector = "mailgun-email"
    config = {"domain": "mg.example.com", "apiKey": "key-canary-1", "from": "Acme <no-reply@mg.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "Mailgun knows none, so nothing is repeated"}
