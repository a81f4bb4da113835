from pathlib import Path

from authmail.testing import ConnectorConformance


class TestSES(ConnectorConformance):
    """SES keeps every rule."""

    connector = "aws-ses-mail"
    config = {
        "accessKeyId": "AKIACANARYKEY1",
        "accessKeySecret": "secret-canary-1",
        "region": "eu-central-1",
        "emailAddress": "Acme <no-reply@mail.example.com>",
    }
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "SES knows none, so nothing is repeated"}
