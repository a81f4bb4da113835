from pathlib import Path

from authmail.testing import ConnectorConformance


class TestMailJunky(ConnectorConformance):
    """MailJunky keeps every rule."""

    connector = "mailjunky-email-service"
    config = {"apiKey": "mj_live_canary_key_1", "fromEmail": "no-reply@mail.example.com", "fromName": "Acme"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "MailJunky knows none, so nothing is repeated"}
