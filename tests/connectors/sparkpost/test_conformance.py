from pathlib import Path

from authmail.testing import ConnectorConformance


class TestSparkPost(ConnectorConformance):
    """SparkPost keeps every rule."""

    connector = "sparkpost-mail"
    config = {"apiKey": "key-canary-0123456789", "from": "Acme <no-reply@mail.example.com>"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "SparkPost knows none, so nothing is repeated"}
