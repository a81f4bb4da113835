from pathlib import Path

from authmail.testing import ConnectorConformance


class TestSMTP2GO(ConnectorConformance):
    """SMTP2GO keeps every rule."""

    connector = "smtp2go-email-service"
    config = {"apiKey": "api-canary_key_1", "sender": "no-reply@mail.example.com", "senderName": "Acme"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "SMTP2GO knows none, so nothing is repeated"}
