from pathlib import Path

from authmail.testing import ConnectorConformance


class TestHttp(ConnectorConformance):
    """The HTTP connector keeps every rule."""

    connector = "http-email"
    config = {"endpoint": "https://mail.example.com/send", "authorization": "Bearer canary-token-1"}
    exchanges = Path(__file__).parent / "exchanges"
    repeats_safely = True
    status_decides = True

    def config_for(self, url):
        return {"endpoint": f"{url}/send?tenant=1"}
