"""docs/observability.md: its names are those of the code, all of them and no other."""

import ast
import inspect
import logging
import re
from contextlib import suppress
from pathlib import Path

import attrs
import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from authmail import AccountError, Message, Receipt, SendError
from authmail.connect.plugins import HostHooks
from authmail.delivery import Alert, AlertCause, AlertCommand, AlertMail, Alerts, AlertWebhook, Dedupe, Delivery, Failover, Retry

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "observability.md").read_text("utf-8")
ROOMS = [ROOT / "core" / "authmail", ROOT / "connectors"]
REVOKED = AccountError("the key is revoked", reason="credentials", code="InvalidKey", connector="acme-mail")


def table(heading):
    """Return the rows below a heading of the page: the names in each cell."""
    return [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in cells(heading)]


def cells(heading):
    """Return the rows of the first table after a line of the page."""
    section = PAGE.partition(f"{heading}\n")[2]
    rows = re.search(r"(?:^\|[^\n]*\n)+", section, re.MULTILINE)[0].splitlines()[2:]
    return [row.strip("|").split("|") for row in rows]


def first(heading):
    return {name for row in table(heading) for name in row[0]}


def test_causes_keys_and_ways_of_alerts():
    """Each stands in its table, and no other."""
    assert first("### Causes") == set(AlertCause)
    assert [row[0][0] for row in table("### Keys")] == [field.name for field in attrs.fields(Alert)]
    assert [row[0][0] for row in table("### Ways")] == [way.name for way in (AlertWebhook, AlertCommand, AlertMail)]
    assert set(table("### Keys")[1][1]) == {"on", "over"}


def loggers():
    """Return each logger of the code with the levels that stand there."""
    found = {}
    for file in (file for room in ROOMS for file in room.rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
        for name in (call.args[0].value for call in calls if getattr(call.func, "id", "") == "log_of"):
            methods = (call.func for call in calls if isinstance(call.func, ast.Attribute))
            written = {method.attr.upper() for method in methods if getattr(method.value, "id", "") == "_log"}
            found.setdefault(name, set()).update(written & set(logging.getLevelNamesMapping()))
    return found


def test_every_logger_is_named():
    """With the levels that it writes."""
    rows = {row[0].strip(" `"): set(row[1].strip().split(", ")) for row in cells("## Log")}
    written = loggers()
    assert rows.keys() == written.keys()
    assert {name: levels - rows[name] for name, levels in written.items()} == {name: set() for name in written}


@pytest.fixture
async def lived(scripted, monkeypatch, caplog):
    """Records, and metrics with their attributes, of messages that met everything."""
    reader = InMemoryMetricReader()
    monkeypatch.setattr(metrics, "get_meter", MeterProvider([reader]).get_meter)
    caplog.set_level(logging.INFO)
    failover = Failover({"main": scripted(REVOKED), "spare": scripted(Receipt("1", connector="acme-mail"), REVOKED)})
    async with Delivery(Dedupe(Retry(failover)), plugins=[Alerts()], name="acme") as delivery:
        for code in ("123456", "123456", "654321"):
            with suppress(SendError):
                await delivery.send(Message("zoe@example.com", "SignIn", {"code": code}))
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    counted = {one.name: {name for point in one.data.data_points for name in point.attributes} for one in scope.metrics}
    return caplog.records, counted


def test_fields_and_levels_of_records(lived):
    """Of messages and of alerts."""
    records, _ = lived
    of_messages = [record for record in records if record.name == "authmail.delivery"]
    of_alerts = [record for record in records if record.name == "authmail.alerts"]
    assert {record.levelname for record in of_messages} == {"INFO", "WARNING"}
    assert {record.levelname for record in of_alerts} == {"ERROR"}
    assert {field for record in of_messages for field in record.authmail} == first(
        "The record's text says the same in one line.\n"
    )
    assert set(of_alerts[0].authmail) == first("### Keys")


def test_every_metric_is_named_with_its_attributes(lived):
    """As OpenTelemetry's own SDK reads them back."""
    _, counted = lived
    assert {row[0][0]: set(row[2]) for row in table("## Metrics")} == counted


def test_every_hook_is_named_with_its_arguments():
    """Those of the contract."""
    hooks = {
        name: list(inspect.signature(hook).parameters)[1:] for name, hook in vars(HostHooks).items() if not name.startswith("_")
    }
    assert {row[0][0]: row[1] for row in table("## Hooks")} == hooks
