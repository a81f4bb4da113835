"""Refresh tokens that take the place of one another.

A token server may give a new refresh token with each access token. Microsoft's do; the one before works on for a while,
others end it at once (RFC 6749 section 6, RFC 9700 section 4.14.2). The newest must be used wherever the config still has
an older one: by each Mailer, and by the next one of this process.
"""

import hashlib
from collections import OrderedDict
from weakref import WeakValueDictionary

import attrs

from authmail import Secret, hide_fields
from authmail_smtp.login import Login

_MOST = 1000

# Of the process, not of a Mailer: a config that is read anew begins with the older token, which may have ended. Whoever finds
# something here had a token of the same grant in the config, for the same address and client, so nobody learns anything.
_grants: OrderedDict[bytes, "Grant"] = OrderedDict()
# Those that are in use, renewed or not, so that all Mailers of one account share one.
_in_use: WeakValueDictionary[bytes, "Grant"] = WeakValueDictionary()


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Grant:
    """What an account granted once, whatever its token is by now.

    Args:
        newest: the refresh token to use.
    """

    newest: Secret

    @classmethod
    def of(cls, login: Login) -> "Grant | None":
        """Return the grant that a config's refresh token belongs to; None without one."""
        if login.refresh_token is None:
            return None
        key = _key(login, login.refresh_token)
        return _grants.get(key) or _in_use.setdefault(key, cls(login.refresh_token))

    def renew(self, login: Login, token: Secret) -> None:
        """Keep a new token, and find it from now on by the config's, the one before and itself.

        Args:
            login: the config that it was asked for with.
            token: what the server gave.
        """
        before, self.newest = self.newest, token
        for each in (login.refresh_token, before, token):
            if each is not None:
                _grants[_key(login, each)] = self
                _grants.move_to_end(_key(login, each))
        while len(_grants) > _MOST:
            _grants.popitem(last=False)


def _key(login: Login, token: Secret) -> bytes:
    parts = (login.token_url, login.client_id or "", login.user or "", token.reveal())
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
