"""The kit finds what is wrong: connectors over HTTP, second half: what becomes of answers, time, connections, tenants and secrets."""

import pytest
from bad_connectors import BAD as BAD_CONNECTORS
from bad_connectors import is_about_requests
from workshop import ACME, breaks, judged

BAD = [bad for bad in BAD_CONNECTORS if not is_about_requests(bad)]


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
    """Exactly that one."""
    breaks(broken, bad)
