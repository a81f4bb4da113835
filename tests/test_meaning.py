from authmail import Meaning, Reason, Throttled


def test_a_row_of_an_error_table_becomes_an_error():
    """With what the answer itself said; a better hint wins."""
    meaning = Meaning(Throttled, Reason.RATE, "slower")
    error = meaning.error(code="E1", status=429, retry_after=3)
    assert isinstance(error, Throttled)
    assert (error.reason, error.hint, error.code, error.status, error.retry_after) == (Reason.RATE, "slower", "E1", 429, 3)
    assert meaning.error(hint="much slower").hint == "much slower"
