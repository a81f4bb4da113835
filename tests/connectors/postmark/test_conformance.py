from pathlib import Path

from authmail.testing import ConnectorConformance


class TestPostmark(ConnectorConformance):
    """Postmark keeps every rule."""

    connector = "postmark-mail"
    config = {"serverToken": "0f0f0f0f-0000-4000-8000-00000000fa4e", "fromEmail": "Acme <no-reply@mail.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "Postmark knows none, so nothing is repeated"}
