"""What docs/scaling.md shows is so: servers start with its lines, the file is valid, rules ask for metrics that there are."""

import configparser
import re
import tomllib
from pathlib import Path

import jsonschema
import psycopg
import pytest
from store_servers import RedisServer, running

from authmail import References
from authmail.delivery import PostgresStore, RedisStore, compose, file_schema

PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text("utf-8")
OBSERVABILITY = (Path(__file__).parents[2] / "docs" / "observability.md").read_text("utf-8")
#: Name of a file → what the page has of it.
FILES = dict(re.findall(r"^```text\n(?:#|;|--) ([\w.-]+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
TOML = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
SECRET = b"a secret of sixteen bytes or more"


def test_the_files_are_valid(tmp_path, monkeypatch):
    """For authmail, and for an editor with the schema; the second one is a part of the first."""
    monkeypatch.setenv("AUTHMAIL_ALIYUN_SECRET", "secret")
    monkeypatch.setenv("AUTHMAIL_STORE", "redis://authmail:a-long-password@redis.internal:6379/0")
    monkeypatch.setenv("AUTHMAIL_STORE_SECRET", SECRET.decode())
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "Generic.html").write_text("<title>{{code}} is your code</title><p>{{code}}</p>")
    whole, part = TOML
    for raw in (whole, {**whole, "senders": {"main": {**whole["senders"]["main"], **part["senders"]["main"]}}}):
        assert list(jsonschema.Draft202012Validator(file_schema()).iter_errors(raw)) == []
        compose(raw, tmp_path, references=References())


async def test_redis_serves_with_these_lines(tmp_path):
    """Its user may do what authmail does and asks, and nothing is warned of."""
    (tmp_path / "redis.conf").write_text(FILES["redis.conf"])
    server = RedisServer(tmp_path / "redis")
    server._program = _with_config(tmp_path, server._program)
    with running(server):
        store = RedisStore(f"redis://authmail:a-long-password@127.0.0.1:{server.port}/0", secret=SECRET)
        async with store:
            await store.note(store.digest("a"), "text", keep=10.0)
            found = await store.check()
            await store.stats()
            await store.forget([store.digest("b")])
    assert (found.problems, found.warnings) == ((), ())


def _with_config(folder, program):
    """A server's program that reads the page's file first."""
    script = folder / "redis-server"
    script.write_text(f'#!/bin/sh\nexec "{program}" "{folder / "redis.conf"}" "$@"\n')
    script.chmod(0o700)
    return str(script)


async def test_a_role_that_was_made_so_sends(postgres_server, own):
    """With the tables and rights that the command prints, and no others."""
    role = f"{own}_role"
    owner = PostgresStore(postgres_server.url, secret=SECRET, schema=own)
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(re.sub(r"\bauthmail\b", role, FILES["role.sql"]))
        connection.execute(owner.statements_for(role))
    store = PostgresStore(postgres_server.url_of("postgres", role), secret=SECRET, schema=own)
    async with store:
        await store.note(store.digest("a"), "text", keep=10.0)
        assert (await store.check()).problems == ()
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_rules_ask_for_metrics_that_there_are():
    """Under Prometheus' names, with attributes that each has, and outcomes and causes that there are."""
    rows = re.findall(r"^\| `(authmail\.[\w.]+)` \| (counter|histogram, s) \| ([^|]+) \|", OBSERVABILITY, re.MULTILINE)
    named = {_in_prometheus(name, kind): set(re.findall(r"`(\w+)`", attributes)) | {"le"} for name, kind, attributes in rows}
    rules = FILES["authmail.rules.yml"]
    asked = re.findall(r"(authmail_\w+)(?:\{([^}]*)\})?", "\n".join(re.findall(r"expr: (.*)", rules)))
    assert len(asked) > len(named)
    for name, filters in asked:
        assert set(re.findall(r"(\w+)=~?", filters)) <= named[name]
    assert set(re.findall(r"state=\"(\w+)\"", rules)) <= {"on", "open"}
    assert set("|".join(re.findall(r"outcome=~?\"([^\"]+)\"", rules)).split("|")) <= set(
        re.findall(r"^\| (\w[\w ]+) \| `", (Path(__file__).parents[2] / "README.md").read_text("utf-8"), re.MULTILINE)
    )


def _in_prometheus(name, kind):
    """OpenTelemetry's specification, "Prometheus and OpenMetrics Compatibility": dots, units and the ending of counters."""
    name = name.replace(".", "_")
    return f"{name}_total" if kind == "counter" else f"{name}_seconds_bucket"


@pytest.mark.parametrize("name", ["authmail-host.service", "pgbouncer.ini"])
def test_units_and_settings_can_be_read(name):
    """As files of sections."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read_string(FILES[name])
    assert {len(section) > 0 for section in map(parser.options, parser.sections())} == {True}


def test_every_file_is_looked_at():
    """Or is for people alone: a Compose file."""
    assert set(FILES) == {
        "redis.conf",
        "role.sql",
        "pgbouncer.ini",
        "authmail.rules.yml",
        "authmail-host.service",
        "compose.yaml",
    }
