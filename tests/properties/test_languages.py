"""Which language serves a reader, whatever a request sends."""

from hypothesis import given
from hypothesis import strategies as st
from strategies import JSON, NEARLY_TAGS, PAYLOADS, TAGS, otherwise_spelt

from authmail.words.locales import best_match, normalize, wanted_locales

SEVERAL_TAGS = st.lists(TAGS, min_size=1, max_size=5, unique=True)


@given(st.lists(NEARLY_TAGS, max_size=4), st.lists(NEARLY_TAGS, max_size=4))
def test_the_result_is_one_of_the_available(wanted, available):
    """A tag that exists, as it is written there, or none."""
    found = best_match(wanted, available)
    assert found is None or found in available


@given(SEVERAL_TAGS, st.data())
def test_an_exact_match_wins(available, data):
    """Whatever else is available, and whatever is wanted after it."""
    tag = data.draw(st.sampled_from(available))
    assert best_match([tag, *data.draw(SEVERAL_TAGS)], available) == tag


@given(SEVERAL_TAGS, TAGS, st.lists(TAGS, max_size=2))
def test_the_longest_beginning_wins(available, tag, others):
    """RFC 4647 look-up: of what is left when subtags fall away, the first that exists; no language distance before that."""
    subtags = tag.split("-")
    shortened = ["-".join(subtags[:length]) for length in range(len(subtags), 0, -1)]
    expected = next((each for each in shortened if each in available), None)
    if expected is not None:
        assert best_match([tag, *others], available) == expected


@given(st.lists(TAGS, max_size=3), SEVERAL_TAGS, st.data())
def test_spelling_does_not_matter(wanted, available, data):
    """Capitals and underscores change nothing, on either side."""
    found = best_match(wanted, available)
    wanted, spelt = ([data.draw(otherwise_spelt(tag)) for tag in tags] for tags in (wanted, available))
    assert best_match(wanted, spelt) == (None if found is None else spelt[available.index(found)])


@given(st.lists(TAGS, max_size=3), SEVERAL_TAGS)
def test_the_first_language_wanted_that_exists_decides(wanted, available):
    """The order of preference counts: a list gives what its first served member gives alone."""
    alone = [best_match([tag], available) for tag in wanted]
    assert best_match(wanted, available) == next((found for found in alone if found is not None), None)


@given(
    PAYLOADS
    | st.fixed_dictionaries({}, optional={"locale": JSON | NEARLY_TAGS, "uiLocales": JSON | st.lists(JSON | NEARLY_TAGS)})
)
def test_any_payload_gives_languages(payload):
    """Few, short, each once, in the form for comparison; the payload's locale first."""
    wanted = wanted_locales(payload)
    assert len(set(wanted)) == len(wanted) <= 17
    assert all(0 < len(tag) <= 35 and tag == normalize(tag) for tag in wanted)
    locale = payload.get("locale")
    if isinstance(locale, str) and 0 < len(normalize(locale)) <= 35:
        assert wanted[0] == normalize(locale)
