from pathlib import Path

from authmail.testing import ConnectorConformance


class TestMailerSend(ConnectorConformance):
    """MailerSend keeps every rule."""

    connector = "mailersend-mail"
    config = {"apiKey": "mlsn.canary_key_1", "from": "Acme <no-reply@mail.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "MailerSend knows none, so nothing is repeated"}
