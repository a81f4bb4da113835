"""Twelve processes with one account: one pace and one breaker, through a server as on many machines."""

import sys
from itertools import pairwise

import pytest
from many_machines import RATE, REST, most_in_a_second, run
from store_servers import PostgresServer, RedisServer, running


def test_twelve_processes_go_at_one_pace(tmp_path):
    """At 14 a second, of which a busy machine hands on some a little late: one more in a second is its own doing."""
    with running(RedisServer(tmp_path / "redis")) as server:
        times, seconds = run("pace", server.url)
    paced = [time for time in times if 0 <= time < seconds]
    assert len(paced) / seconds >= RATE - 1
    assert most_in_a_second(paced) <= RATE + 2


def test_one_breaker_opens_for_all_and_one_message_tries(tmp_path):
    """Within a second of the first process's; then one message at the end of each rest, and mail for all once it is well."""
    with running(PostgresServer(tmp_path / "postgres")) as server:
        times, healed = run("breaker", server.url)
    failed = [time for time in times if 0 <= time < healed]
    late = [time for time in failed if time > failed[0] + 1.5]
    assert len(failed) > 12
    assert 1 <= len(late) <= healed / REST
    assert all(later - earlier > REST / 2 for earlier, later in pairwise(late))
    assert len([time for time in times if time > healed]) > 50


@pytest.fixture(autouse=True)
def _is_linux():
    if sys.platform != "linux":
        pytest.skip("forks, as web servers do on Linux")
