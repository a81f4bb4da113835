from pathlib import Path
from urllib.parse import urlsplit

from authmail.testing import ConnectorConformance


class TestSMTP(ConnectorConformance):
    """SMTP keeps every rule that is not about HTTP."""

    connector = "simple-mail-transfer-protocol"
    kind = "smtp"
    config = {
        "host": "smtp.example.com",
        "port": 587,
        "auth": {"user": "acme", "pass": "password-canary-1"},
        "fromEmail": "Acme <no-reply@mail.example.com>",
    }
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "SMTP knows none"}

    def config_for(self, url):
        return {"host": urlsplit(url).hostname, "port": urlsplit(url).port}
