"""The kit finds what is wrong: each bad connector breaks its rule and no other, and the good one breaks none.

Here are connectors over HTTP, first half: what they say of themselves, and what they send. The others are in
`test_rules_of_outcomes.py` and `test_smtp_rules.py`, so that several processes judge them at once.
"""

import re

import pytest
from bad_connectors import BAD as BAD_CONNECTORS
from bad_connectors import is_about_requests
from bad_relays import BAD as BAD_RELAYS
from workshop import ACME, breaks, judged

from authmail.testing.rules import rules

BAD = [bad for bad in BAD_CONNECTORS if is_about_requests(bad)]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """What the good connector and each bad one breaks."""
    with judged(ACME, BAD, tmp_path_factory) as found:
        yield found


def test_a_good_connector_breaks_no_rule(broken):
    """As it stands."""
    assert broken["good"] == {}


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_connector_breaks_its_rule_alone(broken, bad):
    """Exactly that one; and what is said begins with its id and ends with what to do."""
    breaks(broken, bad)


def test_every_rule_has_a_bad_connector():
    """So no rule is there that finds nothing."""
    assert set(rules("http")) - {bad.rule for bad in BAD_CONNECTORS} == set()
    assert set(rules("smtp")) - {bad.rule for bad in (*BAD_CONNECTORS, *BAD_RELAYS)} == set()


def test_every_rule_reads_as_one():
    """An id of block and name, a sentence, and what to do."""
    for id_, rule in rules().items():
        assert re.fullmatch(r"[a-z]+\.[a-z-]+", id_)
        assert rule.says.endswith(".")
        assert rule.do
