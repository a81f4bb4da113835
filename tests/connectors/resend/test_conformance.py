from pathlib import Path

from authmail.testing import ConnectorConformance


class TestResend(ConnectorConformance):
    """Resend keeps every rule."""

    connector = "resend-mail"
    config = {"apiKey": "re_canary_key_1", "from": "Acme <no-reply@mail.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    repeats_safely = True
