from pathlib import Path

from authmail.testing import ConnectorConformance


class TestMailjet(ConnectorConformance):
    """Mailjet keeps every rule."""

    connector = "mailjet-mail"
    config = {
        "apiKey": "c0ffee00c0ffee00c0ffee00c0ffee00",
        "secretKey": "facade00facade00facade00facade00",
        "from": "Acme <no-reply@mail.example.com>",
    }
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "Mailjet documents none, so nothing is repeated"}
