import copy
import json
import pickle

import pytest

from authmail import Secret


def test_never_shows_itself():
    """However a Secret is printed, formatted or logged, its text is not there."""
    secret = Secret("hunter2-canary")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!s:>10}", "%s" % secret, repr([secret]), repr({"a": secret})]  # noqa: UP031
    assert not any("canary" in text for text in shown)
    assert secret.reveal() == "hunter2-canary"


def test_leaves_the_process_by_no_accident():
    """Pickle and JSON refuse a Secret instead of storing its text."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret("x"))
    with pytest.raises(TypeError):
        json.dumps({"secret": Secret("x")})


def test_compares_and_copies():
    """Equal texts are equal Secrets; a copy is the Secret itself; other types are never equal."""
    secret = Secret("x")
    assert secret == Secret("x")
    assert secret != Secret("y")
    assert secret != "x"
    assert hash(secret) == hash(Secret("x"))
    assert copy.deepcopy(secret) is copy.copy(secret) is secret
    assert not Secret("")


@pytest.mark.parametrize("value", [None, 1, b"x", Secret("x")])
def test_holds_text_only(value):
    """Anything but text is refused, and the error names the kind alone."""
    with pytest.raises(TypeError, match=type(value).__name__):
        Secret(value)
