from pathlib import Path

from authmail.testing import ConnectorConformance


class TestScalewayTEM(ConnectorConformance):
    """Scaleway Transactional Email keeps every rule."""

    connector = "scaleway-tem-mail"
    config = {
        "secretKey": "22222222-2222-4222-8222-22222222fa4e",
        "projectId": "11111111-1111-4111-8111-11111111fa4e",
        "from": "Acme <no-reply@mail.example.com>",
    }
    exchanges = Path(__file__).parent / "exchanges"
    leaves_out = {"idempotency-key": "Scaleway knows none, so nothing is repeated"}
