import pytest

from authmail.mail.headers import HeaderKind, kind_of, structured_header


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("From", HeaderKind.ADDRESS), ("REPLY-TO", HeaderKind.ADDRESS), ("Subject", HeaderKind.TEXT), ("Comments", HeaderKind.TEXT), ("X-Anything", HeaderKind.TEXT),
        ("list-unsubscribe", HeaderKind.STRUCTURED), ("Message-ID", HeaderKind.STRUCTURED), ("X-MC-Tags", HeaderKind.STRUCTURED), ("X-Mailer", HeaderKind.TEXT),
        ("X-Mailgun-Variables", HeaderKind.STRUCTURED), ("Content-Type", HeaderKind.STRUCTURED), ("X-SES-MESSAGE-TAGS", HeaderKind.STRUCTURED),
    ],
)  # fmt: skip
def test_who_reads_a_header(name, kind):
    """By its name in any case; one that is not known is for people."""
    assert kind_of(name) is kind


def test_only_what_programs_read_is_judged():
    """Anything else comes back as None; blanks around mean nothing; an empty one is one."""
    assert structured_header("Subject", "é" * 2000) is None
    assert structured_header("From", "Zoë <zoe@example.com>") is None
    assert structured_header("List-Unsubscribe", "  <https://acme.example> ") == "<https://acme.example>"
    assert structured_header("Precedence", "") == ""


def test_json_is_changed_only_where_it_must_be():
    """Plain and short, it stays; letters are escaped; blanks come only with a line that is too long."""
    assert structured_header("X-SMTPAPI", '{"a":1.0,"b":[ 1,2 ]}') == '{"a":1.0,"b":[ 1,2 ]}'
    assert structured_header("X-SMTPAPI", '{"a":"é🎉"}') == r'{"a":"\u00e9\ud83c\udf89"}'
    long = '{"a,b:c":"' + "x" * 600 + '","d":"' + "y" * 600 + r'\",:"}'
    assert structured_header("X-SMTPAPI", long) == long.replace('":"', '": "').replace('","d', '", "d')


def test_deep_json_is_no_trouble():
    """What no parser takes is no JSON."""
    with pytest.raises(ValueError, match="printable ASCII"):
        structured_header("X-SMTPAPI", "[" * 100_000 + "é")
