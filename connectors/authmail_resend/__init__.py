"""Resend: the hooks."""

from importlib.resources import files
from typing import Any

from authmail import AccountReport, ConnectorMetadata, Email, Receipt, hookimpl
from authmail_resend.config import ResendConfig


@hookimpl
def get_metadata() -> ConnectorMetadata:
    """Read the metadata."""
    return ConnectorMetadata.load(files("authmail_metadata") / "resend", settings=ResendConfig)


@hookimpl
def validate_config(config: dict[str, Any]) -> ResendConfig:
    """Read the settings."""
    return ResendConfig.from_dict(config)


@hookimpl
async def send_message(email: Email, config: ResendConfig, http: Any, deadline: float) -> Receipt:
    """Send one mail by POST /emails."""
    from authmail_resend.exchange import send

    return await send(email, config, http, deadline)


@hookimpl
async def check_account(config: ResendConfig, http: Any) -> AccountReport:
    """Ask for the sender's domain without sending mail."""
    from authmail_resend.account import check

    return await check(config, http)


@hookimpl
def get_emulator() -> Any:
    """Return Resend for the sandbox."""
    from authmail_resend.emulator import ResendEmulator

    return ResendEmulator()
