"""One-time codes for the example applications, in this process's memory. Your auth server has its own."""

import secrets
import time
from hmac import compare_digest

_LIFETIME = 600.0
_MOST_TRIES = 5
_codes: dict[str, tuple[str, float, int]] = {}


def new_code(email: str) -> str:
    """Return a code for an address; it replaces an earlier one."""
    code = f"{secrets.randbelow(10**6):06}"
    _codes[email.lower()] = (code, time.monotonic() + _LIFETIME, _MOST_TRIES)
    return code


def is_right(email: str, code: str) -> bool:
    """Whether the code is the address's; it is good once, for ten minutes and five tries."""
    expected, end, tries = _codes.pop(email.lower(), ("", 0.0, 0))
    if tries == 0 or time.monotonic() > end:
        return False
    if compare_digest(expected.encode(), code.encode()):
        return True
    _codes[email.lower()] = (expected, end, tries - 1)
    return False
