"""What a message costs a database does not grow with what is remembered."""

import psycopg
import pytest
from server_stores import SECRET

from authmail.delivery import Claim, Limit, PostgresStore

_MANY = 20_000
_FILL = """
INSERT INTO {0}.times SELECT md5(n::text), 0, n::text, 'infinity' FROM generate_series(1, {1}) AS n;
INSERT INTO {0}.slices SELECT md5(n::text), 0, 1, 'infinity' FROM generate_series(1, {1}) AS n;
INSERT INTO {0}.entries SELECT md5(n::text), '', '', NULL, 0, 0, 'infinity' FROM generate_series(1, {1}) AS n;
INSERT INTO {0}.notes SELECT md5(n::text), '', 'infinity' FROM generate_series(1, {1}) AS n;
INSERT INTO {0}.turns SELECT md5(n::text), 0, 0, 0, 0, 'infinity' FROM generate_series(1, {1}) AS n;
"""
_FIGURES = "SELECT sum(seq_tup_read), sum(idx_scan) FROM pg_stat_user_tables WHERE schemaname = %s AND relname != 'version'"


@pytest.mark.parametrize("knows", [False, True], ids=["before ANALYZE", "after ANALYZE"])
async def test_no_message_reads_a_whole_table(postgres_server, own, knows):
    """Not to begin or to end, nor where it looks for what is over and nothing is."""
    store = PostgresStore(postgres_server.url, secret=SECRET, schema=own)
    await store.migrate()
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(_FILL.format(own, _MANY))
        if knows:
            connection.execute(f"ANALYZE {own}.times, {own}.slices, {own}.entries, {own}.notes, {own}.turns")
        before, _ = connection.execute(_FIGURES, (own,)).fetchone()
    async with store:
        for number in range(32):  # a sweep with every sixteenth
            claim = Claim(
                key=f"{number}", lease=10.0, keep=60.0, counts=((f"{number}", Limit(10, 600)), ("all", Limit(1000, 600)))
            )
            begun = await store.begin(claim)
            await store.end(claim, begun, answer="{}", uncount=())
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        looked_up = 0
        while looked_up < 32:  # the store's connections tell their figures as they end
            after, looked_up = connection.execute(_FIGURES, (own,)).fetchone()
    assert after - before < _MANY
