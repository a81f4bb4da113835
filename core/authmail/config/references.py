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
        tell: say of one that cannot be read which it is and why. For the owner of config and server alone: to others
            all read alike, so that nobody learns what there is.
    """

    env: tuple[str, ...] = attrs.field(default=("AUTHMAIL_*",), converter=_texts)
    files: tuple[str, ...] = attrs.field(default=("/run/secrets",), converter=_texts)
    tell: bool = False

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
        found = self._look(reference)
        return found if isinstance(found, Secret) else None

    def why_not(self, reference: Mapping[str, Any]) -> Problem | None:
        """Return why nothing can be read, and what to do; None if something can. To be told only with :attr:`tell`."""
        found = self._look(reference)
        return found if isinstance(found, Problem) else None

    def _look(self, reference: Mapping[str, Any]) -> Secret | Problem:
        for key, look in (("env", self._environment), ("file", self._file)):
            if set(reference) == {key}:
                return look(reference[key]) if isinstance(reference[key], str) else _not_read(say("its name must be a text"))
        return _not_read(say("write {env} or {file}", env='{"env": "AUTHMAIL_…"}', file='{"file": "/run/secrets/…"}'))

    def _environment(self, name: str) -> Secret | Problem:
        if not any(fnmatchcase(name, pattern) for pattern in self.env):
            hint = say("allowed are variables {variables}", variables=_listed(self.env))
            return Problem("", say("the variable {name} is not allowed", name=name), hint)
        text = os.environ.get(name)
        if text is None:
            hint = say("set it where this program is started, and export it")
            return Problem("", say("the variable {name} is not set", name=name), hint)
        return Secret(text) if text else Problem("", say("the variable {name} is empty", name=name))

    def _file(self, name: str) -> Secret | Problem:
        try:
            path = Path(name).resolve(strict=True)
            if not any(path.is_relative_to(Path(folder).resolve()) for folder in self.files):
                hint = say("allowed are files below {folders}", folders=_listed(self.files))
                return Problem("", say("the file {name} is not allowed", name=name), hint)
            return _content(path, name)
        except FileNotFoundError:
            return Problem("", say("there is no file {name}", name=name))
        except UnicodeDecodeError:
            return Problem("", say("the file {name} is not UTF-8", name=name))
        except OSError as error:
            return Problem(
                "", say("the file {name} cannot be read: {why}", name=name, why=error.strerror or type(error).__name__)
            )
        except ValueError:
            return _not_read(say("its name is none of a file"))


def _not_read(hint: Text) -> Problem:
    return Problem("", say("refers to something that cannot be read"), hint)


def _content(path: Path, name: str) -> Secret | Problem:
    # Not blocking, should it be a pipe; not following, should it have become a link since.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Problem("", say("{name} is not a regular file", name=name))
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(_LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LARGEST_FILE:
        return Problem("", say("the file {name} is larger than 64 KiB", name=name))
    text = content.decode("utf-8").rstrip("\r\n")
    return Secret(text) if text else Problem("", say("the file {name} is empty", name=name))


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
            why = references.why_not(value) if references.tell else None
            told = why or Problem("", say("refers to something that cannot be read"), references.allowed)
            problems.append(Problem(path, told.message, told.hint))
        return secret or Secret("unresolved reference")

    return map_secrets(raw, cls, resolve), problems
