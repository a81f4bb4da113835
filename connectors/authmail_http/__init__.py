"""HTTP: the hooks. Hands messages to an endpoint of one's own, in the JSON of Logto's HTTP connector."""

from importlib.resources import files
from typing import Any

from authmail import ConnectorMetadata, Email, Message, Receipt, hookimpl
from authmail_http.config import HttpConfig


@hookimpl
def get_metadata() -> ConnectorMetadata:
    """Read the metadata."""
    return ConnectorMetadata.load(files("authmail_metadata") / "http", settings=HttpConfig)


@hookimpl
def validate_config(config: dict[str, Any]) -> HttpConfig:
    """Read the settings."""
    return HttpConfig.from_dict(config)


@hookimpl
async def send_message(original: Message | Email, config: HttpConfig, http: Any, deadline: float) -> Receipt:
    """Post one message, or a mail that the host rendered."""
    from authmail_http.exchange import send

    return await send(original, config, http, deadline)


@hookimpl
def get_emulator() -> Any:
    """Return an endpoint for the sandbox."""
    from authmail_http.emulator import EndpointEmulator

    return EndpointEmulator()
