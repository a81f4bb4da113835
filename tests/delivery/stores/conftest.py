"""One Redis and one PostgreSQL server for all tests here; each test has its own prefix or schema."""

import uuid

import pytest
from store_servers import PostgresServer, RedisServer, running


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """A Redis server that no test stops."""
    with running(RedisServer(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """A PostgreSQL server that no test stops."""
    with running(PostgresServer(tmp_path_factory.mktemp("postgres"))) as server:
        yield server


@pytest.fixture
def own():
    """A name that no other test has."""
    return f"t{uuid.uuid4().hex[:20]}"
