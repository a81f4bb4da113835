from pathlib import Path

from authmail.testing import ConnectorConformance


class TestAliyunDM(ConnectorConformance):
    """Direct Mail keeps every rule."""

    connector = "aliyun-direct-mail"
    config = {
        "accessKeyId": "LTAI5tFAKEFAKEFAKE0001",
        "accessKeySecret": "secret-canary-1",
        "accountName": "no-reply@mail.example.com",
    }
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {
        "sender-address": "the sender is always accountName; check warns of an address in sendFrom",
        "idempotency-key": "the API knows none; a repeated request is told by its nonce",
    }
    repeats_safely = True
