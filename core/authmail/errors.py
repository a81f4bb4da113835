"""What authmail raises on purpose, apart from the outcomes of sending."""

from collections.abc import Iterable

import attrs

from authmail.words.text import NOTHING, Text, as_text, in_language, say


def _text(value: str) -> Text:
    return as_text(value)


@attrs.frozen
class Problem:
    """One thing that is wrong or doubtful in a config.

    Args:
        path: where, as the user wrote it: ``templates[2].usageType``; empty for the whole.
        message: what is wrong: what was expected and what kind of value came, never a secret's value.
        hint: what to do.
    """

    path: str
    message: Text = attrs.field(converter=_text)
    hint: Text = attrs.field(default=NOTHING, converter=_text)

    def message_in(self, language: str) -> str:
        """Return what is wrong in the nearest language there is, ``fr`` or ``zh-CN``; else in English."""
        return self.message.in_language(language)

    def hint_in(self, language: str) -> str:
        """Return what to do, likewise."""
        return self.hint.in_language(language)

    def text_in(self, language: str) -> str:
        """Return all of it in one line, likewise."""
        message, hint = self.message_in(language), self.hint_in(language)
        text = f"{self.path}: {message}" if self.path else message
        return f"{text} ({hint})" if hint else text

    def __str__(self) -> str:
        return self.text_in("en")


class AuthmailError(Exception):
    """Base of everything that authmail raises on purpose."""


class ConfigError(AuthmailError, ValueError):
    """A config that cannot be used.

    Attributes:
        problems: every one, in the order of the settings.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = list(problems)
        super().__init__(self.problems)

    def text_in(self, language: str) -> str:
        """Return all of them, a line each, in the nearest language there is; else in English."""
        head = (
            say("1 problem in the config:")
            if len(self.problems) == 1
            else say("{count} problems in the config:", count=len(self.problems))
        )
        return "\n".join([in_language(head, language), *(f"  {problem.text_in(language)}" for problem in self.problems)])

    def __str__(self) -> str:
        return self.text_in("en")


class ConnectorNotFound(AuthmailError, LookupError):
    """No such connector is installed, several fit, or the one asked for is broken; the text says which and why."""


class Misused(Exception):
    """A slip of whoever calls, noticed before anything was sent: what was asked of a Mailer that is not open, for one."""
