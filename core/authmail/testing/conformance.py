"""The conformance kit: what a connector author's test class inherits."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from authmail.testing.case import Case
from authmail.testing.judging import broken_basics, findings
from authmail.testing.rules import rules
from authmail.testing.rules.rule import Rule


class ConnectorConformance:
    """Every rule that a connector keeps, as tests.

    Derive from it and fill in::

        class TestAcme(ConnectorConformance):
            connector = "acme-mail"
            config = {"apiKey": "key-canary-1", "fromEmail": "no-reply@example.com"}
            exchanges = Path(__file__).parent / "exchanges"

    Attributes:
        connector: factory id.
        config: a valid config with made-up secrets of at least 8 characters, without endpoint; templates are optional.
        exchanges: folder of recorded exchanges, see :mod:`authmail.testing.exchange`.
        kind: ``http`` or ``smtp``.
        leaves_out: feature → why a mail without it is as good; features are the rules ``request.…``.
        not_recorded: type of outcome → why there is no exchange with it.
        status_decides: any answer with a status of success is an acceptance, by the provider's contract.
        repeats_safely: the provider tells a repeated request from a second mail, so one repeat after no answer is allowed.
    """

    connector: ClassVar[str]
    config: ClassVar[Mapping[str, Any]]
    exchanges: ClassVar[Path]
    kind: ClassVar[str] = "http"
    leaves_out: ClassVar[Mapping[str, str]] = {}
    not_recorded: ClassVar[Mapping[str, str]] = {}
    repeats_safely: ClassVar[bool] = False
    status_decides: ClassVar[bool] = False
    _kept_case: ClassVar[Case]

    def config_for(self, url: str) -> Mapping[str, Any]:
        """Return the settings that make the connector send to a server of the kit. Override it where it is no ``endpoint``.

        Args:
            url: of the server: ``http://127.0.0.1:43210``, or ``smtp://127.0.0.1:43210``.
        """
        return {"endpoint": url}

    def case(self) -> Case:
        """Return the connector under test."""
        return Case(
            name=self.connector,
            declared=self.config,
            folder=Path(self.exchanges),
            config_for=self.config_for,
            kind=self.kind,
            leaves_out=self.leaves_out,
            not_recorded=self.not_recorded,
            repeats_safely=self.repeats_safely,
            status_decides=self.status_decides,
        )

    @classmethod
    def _kept(cls) -> Case:
        """Return one case for all tests of the class: what was seen once is judged by several rules."""
        if "_kept_case" not in vars(cls):
            cls._kept_case = cls().case()
        return cls._kept_case

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make a test of each rule, and of each recorded exchange."""
        if "rule" in metafunc.fixturenames:
            judged = [rule for rule in rules(self.kind).values() if not rule.recorded]
            metafunc.parametrize("rule", judged, ids=[rule.id for rule in judged])
        if "exchange" in metafunc.fixturenames:
            metafunc.parametrize("exchange", sorted(file.stem for file in Path(self.exchanges).glob("*.json")))

    def test_rule(self, rule: Rule) -> None:
        """The connector keeps the rule."""
        asyncio.run(_judge(rule, self._kept()))

    def test_exchange(self, exchange: str) -> None:
        """Request and outcome are as recorded."""
        for rule in rules(self.kind).values():
            if rule.recorded:
                asyncio.run(_judge(rule, self._kept().about(exchange)))


async def _judge(rule: Rule, case: Case) -> None:
    basics = await broken_basics(case)
    if basics and not rule.basic:
        pytest.skip(f"nothing else can be judged while {', '.join(basics)} is broken")
    found = basics.get(rule.id, []) if rule.basic else await findings(rule, case)
    if found:
        pytest.fail(rule.explain(found), pytrace=False)
