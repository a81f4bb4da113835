"""The kit finds what is wrong: connectors over SMTP."""

import pytest
from bad_relays import BAD
from workshop import RELAY, breaks, judged


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """What the good connector and each bad one breaks."""
    with judged(RELAY, BAD, tmp_path_factory) as found:
        yield found


def test_a_good_connector_breaks_no_rule(broken):
    """As it stands."""
    assert broken["good"] == {}


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_connector_breaks_its_rule_alone(broken, bad):
    """Exactly that one."""
    breaks(broken, bad)
