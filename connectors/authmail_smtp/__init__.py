"""SMTP: the hooks."""

from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from typing import Any

from authmail import AccountReport, ConnectorMetadata, Email, Receipt, hookimpl
from authmail_smtp.config import SMTPConfig


@hookimpl
def get_metadata() -> ConnectorMetadata:
    """Read the metadata."""
    return ConnectorMetadata.load(files("authmail_metadata") / "smtp", settings=SMTPConfig)


@hookimpl
def validate_config(config: dict[str, Any]) -> SMTPConfig:
    """Read the settings."""
    return SMTPConfig.from_dict(config)


@hookimpl
def open_client(config: SMTPConfig) -> AbstractAsyncContextManager[Any]:
    """Open the pool of connections, none of them yet connected."""
    from authmail_smtp.pool import Pool

    return Pool(config)


@hookimpl
async def send_message(email: Email, config: SMTPConfig, http: Any, client: Any, deadline: float) -> Receipt:
    """Send one mail over a connection of the pool."""
    from authmail_smtp.mail import compose, fresh_id

    return await client.send(compose(email, config, unique=fresh_id()), http, deadline)  # type: ignore[no-any-return]  # a Pool


@hookimpl
async def check_account(config: SMTPConfig, http: Any, client: Any) -> AccountReport:
    """Connect, negotiate TLS, log in and quit, without sending mail."""
    from authmail_smtp.account import check

    return await check(config, http, client)


@hookimpl
def get_emulator() -> Any:
    """Return an SMTP server for the sandbox."""
    from authmail_smtp.emulator import SMTPEmulator

    return SMTPEmulator()
