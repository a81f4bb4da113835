from pathlib import Path

from authmail.testing import ConnectorConformance


class TestSendGrid(ConnectorConformance):
    """SendGrid keeps every rule."""

    connector = "sendgrid-email-service"
    config = {"apiKey": "SG.canary_key_1", "fromEmail": "no-reply@mail.example.com", "fromName": "Acme"}
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "SendGrid knows none, so nothing is repeated"}
    # A 202 without a body is the whole acceptance, with or without an id; test_answers.py has the successes that are none.
    status_decides = True
