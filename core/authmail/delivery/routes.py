"""Routes: which sender a message goes to."""

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import attrs

from authmail.delivery.sender import MessageSender, Step, Wrapper, attempt, deadline_of
from authmail.mail.email import Mail
from authmail.mail.mailbox import Mailbox
from authmail.outcomes import Receipt
from authmail.words.locales import fallbacks, normalize, wanted_locales


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    if isinstance(texts, str):
        raise TypeError("a list of texts is needed, got one text")
    return tuple(texts)


def _domains(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(_pattern(text.lower()) for text in _texts(texts))


def _pattern(domain: str) -> str:
    """Return a domain as recipients have it, in ASCII."""
    below, star, whole = domain.rpartition("*.")
    try:
        return f"{below}{star}{Mailbox(f'x@{whole}').domain}"
    except ValueError:
        return domain  # a pattern of another kind


def _tags(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(normalize(text) for text in _texts(texts))


@attrs.frozen(kw_only=True)
class Route:
    """A rule; what is empty fits every message, and everything that is not must fit.

    Args:
        name: what people call it.
        sender: where its messages go.
        types: usage types.
        domains: domains of the recipient; ``*.cn`` is everything below, and ``qq.com`` that domain alone.
        applications: values of ``application.id`` in the payload.
        organizations: values of ``organization.id`` in the payload.
        locales: languages; ``zh`` fits a reader whose first language is ``zh-CN``.
    """

    name: str
    sender: MessageSender
    types: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    domains: tuple[str, ...] = attrs.field(default=(), converter=_domains)
    applications: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    organizations: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    locales: tuple[str, ...] = attrs.field(default=(), converter=_tags)

    def rules(self) -> dict[str, tuple[str, ...]]:
        """Return what must fit, by name; empty for a route of everything."""
        names = ("types", "domains", "applications", "organizations", "locales")
        return {name: values for name in names if (values := getattr(self, name))}

    def fits(self, message: Mail) -> bool:
        """Whether a message goes this way."""
        payload = message.payload if isinstance(message.payload, Mapping) else {}
        return all(_FITS[rule](values, message, payload) for rule, values in self.rules().items())


#: Rule → whether one of its values is a message's, which comes with its payload.
_FITS: Mapping[str, Callable[[tuple[str, ...], Mail, Mapping[str, Any]], bool]] = {
    "types": lambda types, message, _: message.usage_type in types,
    "domains": lambda domains, message, _: any(fnmatchcase(_domain(message.address), pattern) for pattern in domains),
    "applications": lambda ids, _, payload: _id(payload, "application") in ids,
    "organizations": lambda ids, _, payload: _id(payload, "organization") in ids,
    "locales": lambda tags, _, payload: any(tag in tags for tag in _first_language(payload)),
}


class Routes(Wrapper):
    """Sends each message through the first route that it fits.

    Args:
        routes: the rules, in order.
        default: where everything else goes.
        default_name: what people call that.
    """

    passes_once = True

    def __init__(self, routes: Iterable[Route], default: MessageSender, *, default_name: str = "default") -> None:
        self._routes = (*routes, Route(name=default_name, sender=default))

    @property
    def inside(self) -> tuple[Any, ...]:
        """The senders of all routes."""
        return tuple(route.sender for route in self._routes)

    def route_of(self, message: Mail) -> Route:
        """Return the route that a message takes."""
        return next(route for route in self._routes if route.fits(message))

    def steps(self, message: Mail) -> Iterable[Step]:
        """Name the route and its rule."""
        route = self.route_of(message)
        rules = [f"{name} {', '.join(values)}" for name, values in route.rules().items()]
        yield Step("route", route.name, " and ".join(rules) or "no other route fits")

    def toward(self, message: Mail) -> MessageSender:
        """Return the sender of the route."""
        return self.route_of(message).sender

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message through its route.

        Raises:
            SendError: the sender's.
        """
        return await attempt(self.route_of(message).sender, message, deadline_of(timeout))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _id(payload: Mapping[str, Any], key: str) -> Any:
    value = payload.get(key)
    return value.get("id") if isinstance(value, Mapping) else payload.get(f"{key}Id")


def _first_language(payload: Mapping[str, Any]) -> Iterable[str]:
    wanted = wanted_locales(payload)
    return fallbacks(wanted[0]) if wanted else ()
