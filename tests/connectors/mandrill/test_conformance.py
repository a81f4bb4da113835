from pathlib import Path

from authmail.testing import ConnectorConformance


class TestMandrill(ConnectorConformance):
    """Mandrill keeps every rule."""

    connector = "mandrill-mail"
    config = {"apiKey": "md-canary_key_1", "from": "Acme <no-reply@mail.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "Mandrill knows none, so nothing is repeated"}
