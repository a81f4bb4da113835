"""What a host says of the way out, judged at once: egress, session, proxy, authorities and time."""

from pathlib import Path
from urllib.parse import urlsplit

from authmail.errors import ConfigError, Problem
from authmail.http.egress import Egress
from authmail.templates.template import kind_of
from authmail.words.text import say


def check_kind(argument: str, value: object, kinds: tuple[type, ...], wanted: str, *, optional: bool = False) -> None:
    """Refuse an argument of another kind.

    Args:
        argument: its name.
        value: what was given.
        kinds: what it may be; a bool is no number.
        wanted: the same in words.
        optional: None will do too.

    Raises:
        TypeError: names the argument, what it takes and what came.
    """
    if (value is None and optional) or (isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)):
        return
    raise TypeError(say("{argument}= takes {wanted}, got {kind}", argument=argument, wanted=say(wanted), kind=kind_of(value)))


def check_seconds(argument: str, seconds: object) -> None:
    """Refuse what is no time limit.

    Raises:
        TypeError: it is no number.
        ConfigError: it is not above 0.
    """
    check_kind(argument, seconds, (int, float), "a number of seconds")
    if not seconds > 0:  # type: ignore[operator]  # a number by now; NaN is refused too
        raise ConfigError([Problem(argument, say("must be a number of seconds above 0"))])


def check_ways(egress: Egress | None, session: object, timeout: float, proxy: str | None, ca_file: str | Path | None) -> None:
    """Refuse what does not tell how to go out.

    Raises:
        TypeError: an argument is of another kind.
        ConfigError: an argument cannot be used.
    """
    check_kind("egress", egress, (Egress,), "an Egress such as Egress.PUBLIC", optional=True)
    check_kind("proxy", proxy, (str,), "the URL of an HTTP proxy", optional=True)
    check_kind("ca_file", ca_file, (str, Path), "the path of a file", optional=True)
    check_seconds("timeout", timeout)
    check_session(session, egress, proxy)
    if proxy is not None and not _is_proxy(proxy):
        raise ConfigError([Problem("proxy", say("must be the URL of an HTTP proxy"), say("such as http://proxy.example:3128"))])
    if ca_file is not None and not _has_certificate(Path(ca_file)):
        hint = say("each begins with -----BEGIN CERTIFICATE-----")
        raise ConfigError([Problem("ca_file", say("is no file with certificates in PEM form"), hint)])


def check_session(session: object, egress: Egress | None, proxy: str | None) -> None:
    """Refuse a session that keeps to no policy, unless the host vouches for it with ``egress=None``.

    Args:
        session: the host's own session, or None.
        egress: the policy.
        proxy: URL of a proxy, or None.

    Raises:
        ConfigError: names both ways.
    """
    path, problem = "session", None
    kept = getattr(getattr(session, "connector", None), "egress", None)
    hint = say("make it with egress.session(), or give egress=None if you vouch for every place that it connects to")
    if session is None:
        if egress is None:
            path, problem = "egress", say("is None, which only a session of the host's own may have")
            hint = say("leave it out for Egress.PUBLIC")
    elif egress is not None and kept is None:
        problem = say("keeps to no egress policy: a config could lead it into the host's network")
    elif egress is not None and kept != egress:
        problem = say("keeps to another egress policy than egress=")
        hint = say("give the same policy to both, or give egress=None if you vouch for every place that it connects to")
    elif egress is not None and proxy is not None:
        path, problem, hint = "proxy", say("does not go with this session"), say("give it to egress.session(proxy=…)")
    if problem is not None:
        raise ConfigError([Problem(path, problem, hint)])


def _is_proxy(text: str) -> bool:
    try:  # whose own error would quote the text, perhaps with a password
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _has_certificate(path: Path) -> bool:
    try:
        return b"CERTIFICATE-----" in path.read_bytes()
    except OSError:
        return False
