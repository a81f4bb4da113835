"""What an error, a receipt and an account report may tell: the provider's own words whole, and nothing confidential."""

import json
import pickle
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

import authmail
from authmail import AccountError, AccountReport, Mailer, Message, Problem, Receipt, say
from authmail.config.secrets import secrets_in
from authmail.mail.vital import vital_in_texts
from authmail.privacy import Confidential
from authmail.templates.samples import LOGTO_TYPES, sample_payload
from authmail.words.striking import Spellings

SENTENCES = json.loads((Path(__file__).parent / "vectors" / "providers" / "sentences.json").read_text("utf-8"))["sentences"]
SECRET, CODE, LINK = "re_hunter2CANARY_77", "739154", "https://auth.example.com/reset?token=Qx7pL2-88"
RAW = {"apiKey": SECRET, "from": "Acme <no-reply@mail.example.com>"}


@pytest.fixture(scope="module")
def mailer():
    template = authmail.Template("Generic", "{{code}} is your code for {{organization.name}}", "<p>Your code is {{code}}</p>")
    return Mailer("resend-mail", RAW, templates=[template])


def cleaned(mailer, message, **details):
    return mailer._edge.clean_error(AccountError(**details), message)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_words_of_providers_stay_whole(mailer, sentence):
    """Beside every payload that Logto sends, with names as people have them."""
    for usage_type in LOGTO_TYPES:
        payload = sample_payload(usage_type, "fr-CA") | {"code": CODE, "user": {"name": "Sam Sample", "id": "u_8f3k20dk"}}
        error = cleaned(mailer, Message("sam.sample@inbox.example", usage_type, payload), detail=sentence)
        assert error.detail == sentence


SPELT = {
    "as it is": str,
    "in capitals": str.upper,
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "hex": lambda text: text.encode().hex(),
    "Base64": lambda text: b64encode(text.encode()).decode(),
    "Base64 of a login": lambda text: b64encode(f"\0login\0{text}".encode()).decode(),
    "entities": lambda text: "".join(f"&#{ord(character)};" for character in text),
}


@pytest.mark.parametrize("confidential", [SECRET, CODE, LINK])
@pytest.mark.parametrize("spelling", SPELT)
def test_nothing_confidential_comes_out_of_an_error(mailer, spelling, confidential):
    """In hint, words, code and request id; nor in its text, JSON and pickle."""
    message = Message("zoe@example.com", "SignIn", {"code": CODE, "verify": {"link": LINK}, "otp": CODE})
    spelt = SPELT[spelling](confidential)
    error = cleaned(
        mailer, message, hint=f"refused: {spelt}", detail=f"you sent {spelt}", code=spelt[:200], request_id=f"r-{spelt[:200]}"
    )
    shown = f"{error} {error.to_dict()} {pickle.dumps(error)}"
    assert spelt not in shown
    assert confidential.removeprefix("https://") not in shown
    assert error.detail.startswith("you sent ")


@pytest.mark.parametrize("confidential", [CODE, LINK, SECRET])
def test_nothing_confidential_comes_out_of_a_receipt(mailer, confidential):
    """Its ids are one word each and bounded, whatever a provider or a proxy gave for them."""
    message = Message("zoe@example.com", "SignIn", {"code": CODE, "link": LINK})
    known = mailer._edge.confidential(message)
    forged = f"queued {confidential} \r\n2026 INFO forged line \x1b[2J\u202e"
    receipt = known.clean_receipt(Receipt(forged, forged, forged), "acme")
    for text in (receipt.message_id, receipt.detail, repr(receipt)):
        assert confidential not in text
        assert text.isprintable()
    assert receipt.request_id is None
    assert known.clean_receipt(Receipt("x" * 100_000), "acme").message_id == "x" * 256
    assert known.clean_receipt(Receipt("m-1", "r-1"), "acme") == Receipt("m-1", "r-1", None, "acme")


def test_an_account_report_is_one_line_without_secrets():
    """Labels, facts and warnings, which a server chose."""
    report = AccountReport(
        {"Server": f"mx\x1b]0;pwned\x07 {SECRET}\nforged: yes"},
        [Problem("from", f"is {SECRET}", say("see {where}", where="the console"))],
    )
    told = report.cleaned(Confidential(Spellings([SECRET])).clean_line)
    assert told.facts == {"Server": "mx ]0;pwned  *** forged: yes"}
    assert SECRET not in str(told)
    assert told.warnings[0].hint == "see the console"


def test_fixed_words_are_never_struck():
    """A password that is a common word is struck from what was filled in, and not from the sentence around it."""
    known = Confidential(Spellings(["user", "password"]), ("quota",))
    error = AccountError(say("user or password is not accepted; see {where}", where="the password page"), code=say("quota"))
    told = known.clean_error(error, "acme")
    assert told.hint == "user or password is not accepted; see the *** page"
    assert told.code == "quota"


def test_names_out_of_the_payload_are_struck_from_the_providers_words_alone(mailer):
    """Whole words of six letters and more that no operator wrote; the address is masked."""
    message = Message(
        "zoe.canary@example.com", "SignIn", {"code": CODE, "user": {"name": "Zoe Canary"}, "organization": {"name": "Your code"}}
    )
    error = cleaned(mailer, message, hint="Zoe Canary", detail="bad name Zoe Canary in Your code for ZOE.Canary@example.com")
    assert error.detail == "bad name *** in Your code for z***@example.com"
    assert error.hint == "Zoe Canary"


def test_an_echo_of_the_mail_is_cut():
    """Thirty-two characters in a row are no accident."""
    body = "Dear Zoe, the thing that you asked for is the following one: see below."
    error = Confidential(Spellings(()), bodies=(body,)).clean_error(AccountError(detail=f"bad content: {body[5:60]}."), "acme")
    assert error.detail == "bad content:***."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("您的验证码是482913，10分钟内有效", "482913"),
        ("Your code is 482-913.", "482-913"),
        ("Your code is 482 913", "482 913"),
        ("Use WWGD-MVBP", "WWGD-MVBP"),
        ("k7m2p9 is it", "k7m2p9"),
        ("Open HTTP://x.example/reset?t=1", "HTTP://x.example/reset?t=1"),
        ("Код:482913", "482913"),
    ],
)
def test_a_code_is_known_in_any_script(text, found):
    """In a mail that the host rendered itself there is no name to go by."""
    assert found in vital_in_texts([text])


def test_the_secrets_of_every_connector_are_found():
    """So that they can be struck out: nested ones too."""
    config = authmail.get_connector("resend-mail").validate_config(RAW, templates=True)
    assert secrets_in(config) == [SECRET]
