"""authmail store, and authmail forget: by files of each kind, with real servers."""

import asyncio
import json
import os
import subprocess
import sys

import psycopg
import pytest
from click.testing import CliRunner

import authmail
from authmail import Message
from authmail.cli import main
from authmail.delivery import Claim, Limit, PostgresStore

FILE = """
store = {{ env = "AUTHMAIL_STORE" }}
storeSecret = "a secret of sixteen or more"

[senders.main]
connector = "http-email"
config = {{ endpoint = "http://127.0.0.1:1/{name}", authorization = "Bearer token" }}

[delivery]
attempts = 1
hold = 20
"""


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """An authmail.toml in the folder where the command runs, whose store the environment names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTHMAIL_STORE", "authmail.db")
    path = tmp_path / "authmail.toml"
    path.write_text(FILE.format(name="x"))
    return path


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def place(request, file, monkeypatch):
    """Each kind of store; what is shown of it."""
    if request.param == "sqlite":
        return "authmail.db"
    server = request.getfixturevalue(f"{request.param}_server")
    scheme, _, rest = server.url.partition("://")
    user = "user:any@" if request.param == "redis" else "authmail:CANARY@"
    url = f"{scheme}://{user}{rest.rpartition('@')[2]}"
    if request.param == "redis":  # a server without passwords takes any
        url = server.url
    monkeypatch.setenv("AUTHMAIL_STORE", url)
    return f"{scheme}://{rest.rpartition('@')[2]}"


def test_check_says_how_it_stands(run, place):
    """For people and for machines; the password stands nowhere."""
    for arguments in (("store", "check"), ("store", "check", "--json")):
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        assert place in result.output
        assert "CANARY" not in result.output
    found = json.loads(result.output)
    assert (found["usable"], found["problems"]) == (True, [])
    assert "can be used" in run("store", "check", "authmail.toml").output


def test_check_of_a_store_that_cannot_be_reached(run, file, monkeypatch):
    """Is a problem, with the place and without the password."""
    for url in ("redis://user:CANARY@127.0.0.1:1/0", "postgresql://user:CANARY@127.0.0.1:1/db"):
        monkeypatch.setenv("AUTHMAIL_STORE", url)
        result = run("store", "check")
        assert result.exit_code == 1
        assert "127.0.0.1:1" in result.output
        assert "cannot be used" in result.output
        found = json.loads(run("store", "check", "--json").output)
        assert (found["usable"], [problem["path"] for problem in found["problems"]]) == (False, ["store"])
        for command in ("stats", "migrate"):
            if (command, url.partition(":")[0]) != ("migrate", "redis"):
                failed = run("store", command)
                assert failed.exit_code == 1
                assert "cannot be used" in failed.output
            assert "CANARY" not in result.output + failed.output
        assert run("forget", "zoe@example.com").exit_code == 1


def test_check_online_asks_the_store_too(run, file, place, monkeypatch):
    """Beside the providers."""
    result = run("check", file, "--online")
    assert result.exit_code == 0
    assert "can be used" in result.output
    assert json.loads(run("check", file, "--online", "--json").output)["store"]["usable"] is True
    assert "store" not in json.loads(run("check", file, "--json").output)
    monkeypatch.setenv("AUTHMAIL_STORE", "redis://127.0.0.1:1/0")
    assert run("check", file).exit_code == 0
    assert run("check", file, "--online").exit_code == 1


def test_check_and_explain_name_the_server(run, file, redis_server, monkeypatch):
    """Whose messages are known, without user and password."""
    monkeypatch.setenv("AUTHMAIL_STORE", redis_server.url.replace("//", "//user:CANARY@"))
    checked, explained = run("check", file).output, run("explain", file).output
    assert f"shared by all machines that use {redis_server.url}" in checked
    assert f"for all machines that share {redis_server.url}" in explained
    assert "CANARY" not in checked + explained
    assert json.loads(run("check", file, "--json").output)["shared"] == "machines"


def test_stats_count(run, place):
    """In the units of people, and exact for machines."""
    result = run("store", "stats")
    assert result.exit_code == 0, result.output
    assert place in result.output
    found = json.loads(run("store", "stats", "--json").output)
    assert found["exact"] in (True, False)
    assert set(found) == {
        "place", "entries", "counts", "notes", "paces", "firstEndSeconds", "lastEndSeconds", "bytes", "bytesOfServer", "exact"
    }  # fmt: skip


def test_problems_of_the_setting_stop_every_command(run, file, monkeypatch):
    """With their place, as anywhere; problems of the rest do not."""
    monkeypatch.setenv("AUTHMAIL_STORE", "mysql://user:CANARY@host/db")
    for command in ("check", "stats", "migrate"):
        result = run("store", command, "--json")
        assert result.exit_code == 1
        assert [problem["path"] for problem in json.loads(result.output)["problems"]] == ["store"]
        assert "CANARY" not in result.output
    monkeypatch.setenv("AUTHMAIL_STORE", "authmail.db")
    file.write_text(file.read_text().replace("http-email", "nobody"))
    assert run("store", "check").exit_code == 0


def test_memory_is_each_processs_own(run, file):
    """So there is nothing to be asked from outside."""
    file.write_text(file.read_text().replace('store = { env = "AUTHMAIL_STORE" }', ""))
    assert "of each process" in run("store", "check").output
    assert "nobody else can look into it" in run("store", "stats").output
    assert "nothing is to be done" in run("store", "migrate").output
    assert "Delivery.forget" in run("forget", "zoe@example.com").output


def test_the_file_is_looked_for_where_the_command_runs(run, tmp_path, monkeypatch):
    """Under the name that it has everywhere; without one the usage is wrong."""
    monkeypatch.chdir(tmp_path)
    result = run("store", "check")
    assert result.exit_code == 2
    assert "authmail.toml" in result.output


def test_migrate_makes_tables(run, file, postgres_server, own, monkeypatch):
    """Once and again; or prints the statements, which make them too, with what a role needs that may nothing else."""
    url = postgres_server.url_of(own)
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {own}")
        connection.execute(f'CREATE ROLE "{own}""x" LOGIN')
    monkeypatch.setenv("AUTHMAIL_STORE", url)
    printed = run("store", "migrate", "--sql", "--role", f'{own}"x')
    assert printed.exit_code == 0
    assert json.loads(run("store", "check", "--json").output)["schema"] is None
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(printed.output)
    assert json.loads(run("store", "check", "--json").output)["schema"] == 1
    for _ in range(2):
        assert "the tables are there" in run("store", "migrate").output
    assert json.loads(run("store", "migrate", "--json").output)["migrated"] is True
    assert json.loads(run("store", "migrate", "--sql", "--json").output)["sql"].startswith("BEGIN;")
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {own}")
        connection.execute(f'DROP ROLE "{own}""x"')


@pytest.mark.parametrize("sql", [False, True])
def test_migrate_makes_the_queues_tables_too(sql, run, file, postgres_server, own, monkeypatch):
    """Where the file has a queue, with those of procrastinate; the keys need not be there for that."""
    monkeypatch.setenv("AUTHMAIL_STORE", postgres_server.url_of(own))
    tables = "SELECT to_regclass('authmail.queued') IS NOT NULL, to_regclass('public.procrastinate_jobs') IS NOT NULL"
    with psycopg.connect(postgres_server.url, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {own}")
        owner.execute(f"CREATE ROLE {own} LOGIN")
        with psycopg.connect(postgres_server.url_of(own), autocommit=True) as connection:
            run("store", "migrate")
            assert connection.execute(tables).fetchone() == (False, False)
            file.write_text(file.read_text() + '[queue]\nkeys = [{ env = "AUTHMAIL_QUEUE_KEY" }]\n')
            if sql:
                connection.execute(run("store", "migrate", "--sql", "--role", own).output)
            else:
                assert "the tables are there" in run("store", "migrate").output
            assert connection.execute(tables).fetchone() == (True, True)
        owner.execute(f"DROP DATABASE {own}")
        owner.execute(f"DROP ROLE {own}")


async def test_migrating_is_safe_while_others_send(postgres_server, own):
    """Several at once, with the tables missing or there; every message is counted, and none waits for an error."""
    stores = [PostgresStore(postgres_server.url, secret=b"0123456789abcdef", schema=own) for _ in range(3)]
    for _ in range(3):
        sending = [store.begin(Claim(counts=(("all", Limit(1000, 600)),)), timeout=20) for store in stores for _ in range(10)]
        answers = await asyncio.gather(*sending, *(store.migrate() for store in stores))
        assert {begun.wait for begun in answers[:30]} == {0}
    assert await stores[0].forget(["all"]) == 90
    for store in stores:
        await store.__aexit__()


def test_stats_tell_how_far_they_are_on_a_terminal(file, redis_server, monkeypatch):
    """And take it away in the end."""
    monkeypatch.setenv("AUTHMAIL_STORE", redis_server.url)
    terminal, side = os.openpty()
    command = [sys.executable, "-m", "authmail", "store", "stats", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=side, timeout=60, check=True)
    os.close(side)
    assert json.loads(done.stdout)["bytesOfServer"] is True
    assert os.read(terminal, 10_000).endswith(b"\r\x1b[K")
    os.close(terminal)


def test_forget_removes_what_is_counted(run, file, served, place, own):
    """In whatever spelling; it says how much, and what goes by itself."""
    (file.parent / "Generic.html").write_text("<title>{{code}}</title><p>Hello, {{code}}.</p>")
    config = {**served.config("aliyun-direct-mail"), "accountName": "no-reply@mail.sandbox.example"}
    settings = ", ".join(f"{key} = {json.dumps(value)}" for key, value in config.items())
    head = f'name = "{own}"\ntemplates = "."\nstore = {{ env = "AUTHMAIL_STORE" }}\nstoreSecret = "a secret of sixteen or more"\n'
    file.write_text(
        f'{head}[senders.main]\nconnector = "aliyun-dm"\nconfig = {{ {settings} }}\n[delivery]\nhold = 20\ntimeout = 60\n'
    )

    async def send():
        async with authmail.load(file) as delivery:
            for number in range(2):
                await delivery.send(Message("zoe@example.com", "SignIn", {"code": f"{number:06}"}))

    asyncio.run(send())
    result = run("forget", "Zoe+any@EXAMPLE.com")
    assert result.exit_code == 0, result.output
    assert f"{place}: counted messages removed: 2" in result.output
    assert "after 86400 s with an idempotency key, 20 s without" in result.output
    assert "zoe" not in result.output.lower()
    found = json.loads(run("forget", "zoe@example.com", "authmail.toml", "--json").output)
    assert found == {"place": place, "removed": 0, "keepSeconds": 86400.0, "holdSeconds": 20.0}


def test_forget_wants_an_address(run, file):
    """Which is not repeated; and a file that can be used."""
    result = run("forget", "CANARY")
    assert result.exit_code == 2
    assert "CANARY" not in result.output
    file.write_text(file.read_text().replace("http-email", "nobody"))
    result = run("forget", "zoe@example.com")
    assert result.exit_code == 1
    assert "senders.main.connector" in result.output


def test_everything_is_told_in_the_readers_language(run, file):
    """Also what a store says of itself."""
    assert "utilisable" in run("store", "check", "--lang", "fr").output
    assert "无需处理" in run("store", "migrate", "--lang", "zh-CN").output
