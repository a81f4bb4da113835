"""What the tests of every connector share that meets Logto's captured cases: read a config, a request, an answer.

A connector's own test says where it differs on purpose, and calls these.
"""

from collections.abc import Mapping
from typing import Any

import authmail
from authmail import ConfigError, Egress, Mailer, Message, Receipt, SendError, Template, hookimpl
from authmail.testing.fault_server import FaultServer, request


def paths_of_problems(connector: str, config: Mapping[str, Any]) -> list[str]:
    """Return where a config has problems, as Logto writes the paths, each once; none if it is accepted."""
    try:
        authmail.get_connector(connector).validate_config(config)
    except ConfigError as error:
        return list(dict.fromkeys(problem.path.replace("[", ".").replace("]", "") for problem in error.problems))
    return []


class Lookup:
    """The host's look-up of templates, as a case has it."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer

    @hookimpl
    def get_templates(self, type: str) -> list[Template]:
        return [Template.from_dict({"usageType": type, **self.answer})] if "subject" in self.answer else []


async def email_of(connector: str, case: Mapping[str, Any]) -> authmail.Email:
    """Return the mail that a case's message becomes with its config and templates."""
    plugins = [Lookup(case["i18n_template"])] if "i18n_template" in case else []
    return await Mailer(connector, case["config"], plugins=plugins).preview(Message.from_dict(case["message"]))


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return field → our value, for every field in which two requests differ."""
    return {key: ours.get(key) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}


async def outcome_of(
    connector: str, config: Mapping[str, Any], response: Mapping[str, Any], type: str = "SignIn"
) -> tuple[Receipt | SendError, int]:
    """Send a message to a server that gives a case's answer; return what came of it, and how many requests it took."""
    steps = [request]
    if not response.get("destroy"):
        body = response["body"].encode()
        headers = "".join(f"{name}: {value}\r\n" for name, value in response.get("headers", {}).items())
        steps.append(f"HTTP/1.1 {response['status']} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    async with FaultServer(steps) as server:
        async with Mailer(connector, {**config, "endpoint": server.url}, egress=Egress.ANY) as mailer:
            try:
                outcome = await mailer.send(Message("user@example.com", type, {"code": "123456"}))
            except SendError as error:
                outcome = error
        await server.left()
    return outcome, len(server.requests)
