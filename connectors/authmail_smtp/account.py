"""The online check: connect, negotiate, log in, quit. No mail is sent."""

import asyncio
import time
from typing import TYPE_CHECKING

from authmail import AccountReport, Problem, checks, say
from authmail_smtp.config import SMTPConfig
from authmail_smtp.oauth import SETTING

if TYPE_CHECKING:
    from authmail import Http
    from authmail_smtp.pool import Pool

_SPARE = 0.3


async def check(config: SMTPConfig, http: "Http", pool: "Pool") -> AccountReport:
    """Open a connection and end it.

    Returns:
        What the server said of itself; a warning where it cannot take every mail.

    Raises:
        SendError: the hint names the step that failed.
    """
    now = time.monotonic()
    session = await pool.open(http, http.deadline - min(_SPARE, (http.deadline - now) / 10))
    session.wire.leave()
    await asyncio.wait([session.wire.closed], timeout=max(http.deadline - time.monotonic() - _SPARE, 0))
    facts = dict(session.facts)
    if largest := checks.read_number(session.extensions.get("size", "")):
        facts["Largest mail"] = f"{largest:,} bytes"
    facts["SMTPUTF8"] = (
        "yes" if "smtputf8" in session.extensions else "no: recipients with letters beyond ASCII before the @ are refused"
    )
    warnings = []
    if facts["TLS"] == "none":
        warnings.append(Problem("secure", "the connection has no TLS", "whoever is between reads codes and passwords"))
    if not config.tls_settings.reject_unauthorized and facts["TLS"] != "none":
        warnings.append(Problem("tls.rejectUnauthorized", "the certificate may not have been verified"))
    if pool.token_is_renewed:
        hint = say("grant access again before it ends, and let the program that sends store new ones (token_refreshed)")
        warnings.append(Problem(SETTING, "the provider has given a newer refresh token, which a check cannot store", hint))
    return AccountReport(facts, warnings)
