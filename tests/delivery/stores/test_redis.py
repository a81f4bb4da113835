"""A Redis server as operators have them: passwords, few rights, TLS, sockets, full memory, replicas, several loops, threads and forks."""

import os
import re
from importlib.resources import files
from pathlib import Path

import pytest
import redis
import trustme
from server_stores import SECRET
from store_exercises import (
    PASSWORD,
    WRONG_PASSWORD,
    claim,
    everything_works,
    forks_count_together,
    refusal,
    threads_count_together,
)
from store_servers import RedisServer, free_port, running

from authmail.delivery import RedisStore
from authmail.delivery.stores.redis_scripts import RIGHTS


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a password, TLS and a socket."""
    folder = tmp_path_factory.mktemp("redis")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    port = free_port()
    tls = [f"--tls-port {port}", f"--tls-cert-file {folder}/cert.pem", f"--tls-key-file {folder}/key.pem"]
    tls += [f"--tls-ca-cert-file {folder}/ca.pem", "--tls-auth-clients no", f"--requirepass {PASSWORD}"]
    with running(RedisServer(folder, *(word for option in tls for word in option.split()))) as started:
        started.tls_port = port
        yield started


@pytest.fixture
def admin(server):
    """Whoever runs the server."""
    with redis.Redis(port=server.port, password=PASSWORD) as client:
        yield client


@pytest.mark.parametrize(
    "url",
    [
        "redis://:{password}@127.0.0.1:{port}/0",
        "redis://default:{password}@127.0.0.1:{port}/0",
        "valkey://:{password}@127.0.0.1:{port}",
        "rediss://:{password}@localhost:{tls}/0?ssl_ca_certs={folder}/ca.pem",
        "valkeys://:{password}@localhost:{tls}/0?ssl_ca_certs={folder}/ca.pem",
        "unix://:{password}@{folder}/redis.sock?db=0",
    ],
)
async def test_every_form_of_a_url(url, server, own):
    """Nowhere is the password shown."""
    url = url.format(password=PASSWORD, port=server.port, tls=server.tls_port, folder=server.folder)
    store = RedisStore(url, secret=SECRET, prefix=own)
    await everything_works(store)
    assert PASSWORD not in f"{store!r} {store.place} {vars(store).keys()}"


async def test_a_certificate_that_nobody_vouches_for(server, own):
    """It is refused, as with every other server."""
    store = RedisStore(f"rediss://:{PASSWORD}@localhost:{server.tls_port}/0", secret=SECRET, prefix=own)
    assert "certificate verify failed" in await refusal(store)


@pytest.mark.parametrize("login", ["", f":{WRONG_PASSWORD}@", f"nobody:{WRONG_PASSWORD}@"])
async def test_a_wrong_password_or_none(login, server, own):
    """It is said which of the two is wrong: user or password, or both are missing."""
    store = RedisStore(f"redis://{login}127.0.0.1:{server.port}/0", secret=SECRET, prefix=own)
    assert "user or password is wrong, or missing" in await refusal(store)


@pytest.mark.parametrize("password", ["pa/ss", "pa#ss", "12#ss", "12/ss", "12?ss"])
def test_a_password_that_is_not_written_for_a_url(password):
    """The error says what to do, and shows no part of it."""
    with pytest.raises(ValueError, match="as %2F, @ as %40, # as %23") as caught:
        RedisStore(f"redis://user:{password}@127.0.0.1/0", secret=SECRET)
    assert "12" not in str(caught.value)
    assert "ss" not in str(caught.value).replace("password", "")


def test_the_commands_of_the_scripts():
    """A user of the fewest rights needs these, and those that run them; docs/delivery.md names the same."""
    texts = [file.read_text("utf-8") for file in (files("authmail.delivery.stores") / "lua").iterdir()]
    called = {name.lower() for text in texts for name in re.findall(r"redis\.call\('(\w+)'", text)}
    assert {f"+{name}" for name in called | {"eval", "evalsha"}} == set(RIGHTS.split())
    assert f"~authmail:* {RIGHTS}\n" in (Path(__file__).parents[3] / "docs" / "delivery.md").read_text("utf-8")


async def test_a_user_with_the_fewest_rights(server, admin, own):
    """These commands, and these keys; not one more."""
    admin.acl_setuser(own, enabled=True, reset=True, passwords=[f"+{PASSWORD}"], keys=[f"{own}:*"], commands=RIGHTS.split())
    store = RedisStore(f"redis://{own}:{PASSWORD}@127.0.0.1:{server.port}/0", secret=SECRET, prefix=own)
    await everything_works(store)
    foreign = RedisStore(f"redis://{own}:{PASSWORD}@127.0.0.1:{server.port}/0", secret=SECRET, prefix=f"not-{own}")
    assert f"the keys not-{own}:*" in await refusal(foreign)


@pytest.mark.parametrize("lacks", ["evalsha", "hset"])
async def test_a_user_without_a_right(lacks, server, admin, own):
    """The error says what to allow."""
    rights = [right for right in RIGHTS.split() if right != f"+{lacks}"]
    admin.acl_setuser(own, enabled=True, reset=True, passwords=[f"+{PASSWORD}"], keys=[f"{own}:*"], commands=rights)
    store = RedisStore(f"redis://{own}:{PASSWORD}@127.0.0.1:{server.port}/0", secret=SECRET, prefix=own)
    assert re.search(r"the user may not do this \(.*\); allow the keys .*:\* and \+eval ", await refusal(store))


async def test_another_prefix_or_database_shares_nothing(server, own):
    """And two stores of the same place are the same, however it is written."""
    place = f":{PASSWORD}@127.0.0.1:{server.port}"
    one, same, prefix, database = (
        RedisStore(f"redis://{place}/0", secret=SECRET, prefix=own),
        RedisStore(f"valkey://{place}", secret=SECRET, prefix=own),
        RedisStore(f"redis://{place}/0", secret=SECRET, prefix=f"{own}x"),
        RedisStore(f"redis://{place}/1", secret=SECRET, prefix=own),
    )
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, prefix, database}) == 3
    async with one, same, prefix, database:
        assert (await one.begin(claim())).entry is None
        again = claim(token="1" * 16)
        assert (await same.begin(again)).entry is not None
        assert (await prefix.begin(again)).entry is None
        assert (await database.begin(again)).entry is None


async def test_scripts_that_the_server_forgot(server, admin, own):
    """They are told it again, within the same message; so after a restart too (test_outages)."""
    store = RedisStore(f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0", secret=SECRET, prefix=own)
    async with store:
        begun = await store.begin(claim())
        admin.script_flush()
        await store.end(claim(), begun, answer="answer", uncount=["exact"])
        admin.script_flush()
        assert (await store.answer_of("key")).answer == "answer"


async def test_a_newer_release_writes_it(server, admin, own):
    """One version more is read and written; two are refused, also by who is at work already."""
    store = RedisStore(f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0", secret=SECRET, prefix=own)
    async with store:
        await store.begin(claim("first"))
        assert admin.get(f"{own}:version") == b"1"
        admin.set(f"{own}:version", 2)
        await store.begin(claim("second"))
        admin.set(f"{own}:version", 3)
        assert "a newer release writes it (NEWER version 3); this one reads up to 2" in await refusal(store)


async def test_a_full_memory(tmp_path, own):
    """It is refused by the server, and nothing is begun by half."""
    with running(RedisServer(tmp_path)) as server, redis.Redis(port=server.port) as client:
        store = RedisStore(server.url, secret=SECRET, prefix=own)
        async with store:
            await store.begin(claim("before"))
            client.config_set("maxmemory", "1")
            assert "used memory > 'maxmemory'" in await refusal(store)
            assert not client.exists(f"{own}:e:key")
            client.config_set("maxmemory", "0")
            assert (await store.begin(claim())).entry is None


async def test_a_read_only_replica(tmp_path, server, own):
    """It cannot be written, and says so."""
    options = ["--replicaof", "127.0.0.1", str(server.port), "--masterauth", PASSWORD]
    with running(RedisServer(tmp_path, *options)) as replica:
        store = RedisStore(replica.url, secret=SECRET, prefix=own)
        words = await refusal(store)
    assert re.search("read only replica|MASTERDOWN|LOADING|loading", words)


@pytest.mark.parametrize("strict", [True, False])
def test_threads_share_one_delivery_without_a_loop(server, own, strict):
    """All count together, and whoever finds no connection free waits."""
    threads_count_together(RedisStore(f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0", secret=SECRET, prefix=own), strict=strict)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks need a system that has them")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
async def test_children_have_connections_of_their_own(server, own):
    """They use the parent's store, and leave its connections as they were."""
    await forks_count_together(RedisStore(f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0", secret=SECRET, prefix=own))
