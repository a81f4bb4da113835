"""Whom a connection trusts: TLS contexts."""

import ssl
from typing import TYPE_CHECKING

import attrs

from authmail import AccountError, Phase, Reason, hide_fields, say
from authmail_smtp.config import SMTPConfig

if TYPE_CHECKING:
    from authmail import Http


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Trust:
    """TLS contexts of a config, each made once, since reading the authorities is slow.

    Args:
        config: the settings.
    """

    config: SMTPConfig
    _made: dict[bool, ssl.SSLContext] = attrs.field(factory=dict, init=False)

    def context(self, http: "Http", *, verify: bool) -> ssl.SSLContext:
        """Return the context.

        Raises:
            AccountError: ``tls.ca`` cannot be read.
        """
        if verify not in self._made:
            self._made[verify] = self._make(http, verify)
        return self._made[verify]

    def _make(self, http: "Http", verify: bool) -> ssl.SSLContext:
        settings = self.config.tls_settings
        context = http.tls_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if settings.min_version == "TLSv1.3" else ssl.TLSVersion.TLSv1_2
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif settings.ca:
            try:
                context.load_verify_locations(cadata=settings.authorities)
            except (ssl.SSLError, ValueError):
                hint = say("tls.ca cannot be read; it must be certificates in PEM form")
                raise AccountError(hint, reason=Reason.CONFIG, phase=Phase.BEFORE) from None
        return context
