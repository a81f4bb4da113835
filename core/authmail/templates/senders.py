"""Which addresses a template's sendFrom may name: the host's, never a stranger's."""

from collections.abc import Iterable

import attrs

from authmail.mail.mailbox import Mailbox

_LEAST_LABELS = 2


def _lower(names: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(names, str):
        raise TypeError("from_addresses= takes a list of addresses and domains")
    return None if names is None else tuple(name.lower() for name in names)


@attrs.frozen
class FromAddresses:
    """The addresses that mails may come from, besides the configured one.

    Args:
        allowed: addresses, ``sales@example.com``; domains, ``example.com``; ``*.example.com`` for everything below a
            domain; None for any.
    """

    allowed: tuple[str, ...] | None = attrs.field(default=None, converter=_lower)

    @classmethod
    def around(cls, configured: Mailbox | None) -> "FromAddresses":
        """Return the default: the configured domain, its parents of two and more labels, and its subdomains."""
        if configured is None:
            return cls()
        labels = configured.domain.split(".")
        parents = [".".join(labels[start:]) for start in range(len(labels) - _LEAST_LABELS + 1)]
        return cls([configured.address, configured.domain, *parents, f"*.{configured.domain}"])

    def allows(self, sender: Mailbox) -> bool:
        """Whether a mail may come from there."""
        if self.allowed is None:
            return True
        address, domain = sender.address.lower(), sender.domain.lower()
        return any(name in (address, domain) or (name.startswith("*.") and domain.endswith(name[1:])) for name in self.allowed)
