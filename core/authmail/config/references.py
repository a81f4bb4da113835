"""References from a config to secrets kept elsewhere: ``{"env": "NAME"}`` and ``{"file": "/run/secrets/x"}``.

A config may come from a tenant's admin, who must not read the server's environment or files through it. So nothing
is resolved unless the caller, who owns the text, opts in, and then only what the caller listed.
"""

import os
import stat
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import attrs

from authmail.config.secret import Secret
from authmail.config.secrets import map_secrets
from authmail.errors import Problem
from authmail.words.text import Text, say

_LARGEST_FILE = 64 * 1024


def _texts(values: Iterable[str | Path]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "(none)"


@attrs.frozen
class References:
    """What a config may refer to.

    Args:
        env: patterns of environment variable names; ``*`` stands for anything.
        files: folders. Files in them and below count, after symbolic links are followed; regular, at most 64 KiB.
    """

    env: tuple[str, ...] = attrs.field(default=("AUTHMAIL_*",), converter=_texts)
    files: tuple[str, ...] = attrs.field(default=("/run/secrets",), converter=_texts)

    @property
    def allowed(self) -> Text:
        """What may be referred to, in words: the same whether a reference is forbidden, missing or unreadable."""
        return say(
            "is it set? allowed are variables {variables} and files below {folders}",
            variables=_listed(self.env),
            folders=_listed(self.files),
        )

    def read(self, reference: Mapping[str, Any]) -> Secret | None:
        """Return what a reference points at; None alike for what is missing, unreadable, empty or not allowed."""
        if set(reference) == {"env"} and isinstance(reference["env"], str):
            text = self._environment(reference["env"])
        elif set(reference) == {"file"} and isinstance(reference["file"], str):
            text = self._file(reference["file"])
        else:
            text = None
        return Secret(text) if text else None

    def _environment(self, name: str) -> str | None:
        return os.environ.get(name) if any(fnmatchcase(name, pattern) for pattern in self.env) else None

    def _file(self, name: str) -> str | None:
        try:
            path = Path(name).resolve(strict=True)
            if not any(path.is_relative_to(Path(folder).resolve()) for folder in self.files):
                return None
            # Not blocking, should it be a pipe; not following, should it have become a link since.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE:
                    return None
                content = file.read(_LARGEST_FILE + 1)
            return content.decode("utf-8").rstrip("\r\n") if len(content) <= _LARGEST_FILE else None
        except (OSError, ValueError):
            return None


def resolve_references(raw: Mapping[str, Any], cls: type, references: References) -> tuple[dict[str, Any], list[Problem]]:
    """Return a config with its references replaced by secrets, and a problem for each that cannot be.

    An unresolved one is replaced too, by an empty-handed secret, so that the rest of the config can be checked.
    """
    problems: list[Problem] = []

    def resolve(path: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        secret = references.read(value)
        if secret is None:
            problems.append(Problem(path, "refers to something that cannot be read", references.allowed))
        return secret or Secret("unresolved reference")

    return map_secrets(raw, cls, resolve), problems
