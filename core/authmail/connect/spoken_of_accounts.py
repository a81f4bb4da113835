"""What words of the account's trouble mean at any provider.

Made of what the big ones answer (error pages and public issues of Amazon SES, SendGrid, Mailgun, Postmark, Brevo, Mailjet, MailerSend,
Resend and Alibaba Cloud, 2026-11). Its patterns take milliseconds to compile, so it is imported with the first failure.
"""

from authmail.connect.spoken import OF_THE_MESSAGE, Spoken
from authmail.outcomes import AccountError, Meaning, Reason, Throttled

_NOT = r"(?:\bnot|n't|\bno|\bnever)\W(?:\w+\W){0,3}?"

#: Of the sender's domain: what is not done, or must be.
_UNVERIFIED = (
    rf"(?:{_NOT}|\b(?:must|please|needs? to|yet to|first)\W(?:\w+\W){{0,3}}?)(?:verif|confirm|authenticat|validat)"
    r"|\bun(?:verified|confirmed|authenticated|validated|configured)\b"
    r"|\b(?:pending|awaiting|requires|lacks|without) (?:verification|confirmation|authentication|validation)"
    rf"|{_NOT}(?:allowed|permitted|authori[sz]ed) to send"
)
_SENDER = (
    r"\bsender|\bsending (?:address|identity|domain)|[`'\"]from\b|\bmail from\b|\bfrom (?:address|domain|e?-?mail|header|field)"
)
#: Of its address besides.
_UNKNOWN_SENDER = rf"\binvalid\b|{_NOT}(?:valid|exist|match|allowed|authori[sz]ed|permitted|accepted|sender signature)|\bmust (?:be (?:the )?same|match)"

_ACCESS = r"\b(?:api|access|auth\w*|bearer|secret|security|server)[ _-]?(?:keys?|tokens?)\b"
_KEY = (
    rf"{_ACCESS}|\bapikey|\bclient secret"
    r"|\bcredentials?\b|\busername (?:or|and) password|\bauthori[sz]ation (?:header|grant)|\bauthentication\b|\bunauthenticated\b"
)
_WRONG = (
    rf"\binvalid\b|{_NOT}(?:valid|found|recogni[sz]ed|exist|match|accepted|provided|correct)|\bincorrect|\bwrong\b|\brevoked|\bexpired"
    r"|\bmissing\b|\bunknown\b|\bdisabled|\bdeleted|\binactive|\bfail|\brequired|\bunauthenticated\b"
)

_RIGHTS = rf"{_ACCESS}|\baccount\b|\bcredentials?\b|\bpermissions?\b|\bscopes?\b|\bplan\b|\baccess\b|\bto perform\b"
_LACKING = (
    rf"{_NOT}(?:authori[sz]ed|allowed|permitted|granted|entitled|permissions?|include)|\bunauthori[sz]ed\b|\brestricted\b|\binsufficient\b|\black"
    r"|\bdenied\b|\b(?:missing|required) (?:\w+ )?(?:permission|scope)|\b(?:permission|scope)s? (?:is |are )?(?:missing|required)"
)

_QUOTA = (
    r"\bquota|\bcredits?\b|\bbalance\b|\ballowance\b|\ballotment\b"
    r"|\b(?:daily|monthly|weekly|sending|send|plan|account|messages?|e?-?mails?) (?:\w+ ){0,2}limits?\b"
)
_USED_UP = (
    r"exceed|\breach|\bused up\b|exhaust|\binsufficient\b|\bnot (?:have )?(?:enough|sufficient)\b|\bno (?:\w+ ){0,2}(?:left|remain|more)"
    r"|\bran out|\brun out|\bout of\b|\bover\b|deplet|\bno (?:credits?|balance|quota)\b|\bhit\b|\btoo low\b|\bnegative\b"
)
_UNPAID = (
    r"\barrear|\bin ?debt|\bunpaid\b|\boverdue\b|\boutstanding (?:payment|balance|invoice|bill)"
    r"|\bpayment (?:is |was )?(?:required|fail|declined|due)"
)

_ACCOUNT = (
    r"\baccount|\bsub-?account|\byour (?:team|workspace|organi[sz]ation|subscription|service)\b"
    r"|\b(?:team|workspace|organi[sz]ation|subscription|service|sending) (?:is|has|was|not|paused?|suspend|disabled)"
)
_STOPPED = (
    r"suspend|\bpaused?\b|\bdisabled\b|deactivat|\bblocked\b|\blocked\b|\bfrozen\b|\bbanned\b|\bclosed\b|terminat|\binactive\b"
    rf"|\bunder review|\bon hold\b|\bpending (?:approval|review|activation)|{_NOT}(?:active\b|activated|enabled|approved|verified|open\b)"
)

_TEST_MODE = r"\btest(?:ing)?\b|\bsandbox|\btrial\b|\bdemo\b"
_OWN_ALONE = r"\bonly (?:\w+ ){0,3}(?:send|verified|own|authori[sz]ed)|\byour own\b|\bpurposes only"
_CLOCK = r"\btime ?stamp|\bclock\b|\bsystem time\b|\brequest time\b|\bsignature expired"
_OFF = r"expire|\bskew|\btoo (?:far|old|large|different|early|late)\b|\boff\b|\bdrift|\binvalid\b|\billegal\b|\bdiffer|\bwithin\b"
_FAST = (
    r"\btoo (?:many (?:\w+ )?(?:requests|calls|messages|e?-?mails|connections)|fast|quickly)\b|throttl|\bslow down\b|\bflow control"
    r"|\brate[ -]?(?:\w+ ){0,2}(?:limit|exceed)|\b(?:exceed\w*|reached) (?:\w+ ){0,3}rate\b"
)
_ADDRESS = r"\bips?\b|\bip address"
_REFUSED = rf"{_NOT}(?:allowed|authori[sz]ed|permitted|white-?listed|allow-?listed|trusted)|\ballow ?list|\bwhite ?list|\bblocked\b|\bdenied\b"

_OF_SIZE_OR_RATE = rf"{OF_THE_MESSAGE}|\brate\b|\bsize\b|\blength\b|\bcharacters?\b|\bbytes?\b|\bstorage\b|\bheaders?\b"
_OF_A_REPEAT = rf"{OF_THE_MESSAGE}|\bidempoten"

#: The closer causes first.
ACCOUNT: tuple[Spoken, ...] = (
    Spoken(
        _CLOCK,
        _OFF,
        Meaning(AccountError, Reason.CLOCK, "the provider finds the time of the request wrong; set this server's clock (NTP)"),
    ),
    Spoken(
        _TEST_MODE,
        _OWN_ALONE,
        Meaning(
            AccountError,
            Reason.ACCOUNT,
            "the account is in the provider's test mode, which reaches its own addresses alone; have it opened",
        ),
        unless=r"\binstead\b",
    ),
    Spoken(
        rf"\bdomain|{_SENDER}",
        _UNVERIFIED,
        Meaning(
            AccountError,
            Reason.SENDER,
            "the sender's domain or address is not verified at the provider; verify it, or send from one that is",
        ),
    ),
    Spoken(_SENDER, _UNKNOWN_SENDER, Meaning(AccountError, Reason.SENDER, "the provider does not accept the sender's address")),
    Spoken("", _UNPAID, Meaning(AccountError, Reason.QUOTA, "a bill of the account is not paid; pay it at the provider")),
    Spoken(
        _QUOTA,
        _USED_UP,
        Meaning(AccountError, Reason.QUOTA, "the account's quota or credit is used up; raise it at the provider, or pay"),
        unless=_OF_SIZE_OR_RATE,
    ),
    Spoken("", _FAST, Meaning(Throttled, Reason.RATE, "the provider asks to send slower")),
    Spoken(
        _KEY,
        _WRONG,
        Meaning(AccountError, Reason.CREDENTIALS, "the provider does not accept the credentials; check them"),
        unless=_OF_A_REPEAT,
    ),
    Spoken(
        _ADDRESS,
        _REFUSED,
        Meaning(
            AccountError, Reason.PERMISSION, "the provider does not accept this server's address; put it on the account's list"
        ),
    ),
    Spoken(
        _ACCOUNT,
        _STOPPED,
        Meaning(AccountError, Reason.ACCOUNT, "the provider has stopped the account, or not opened it yet; see its console"),
    ),
    Spoken(
        _RIGHTS,
        _LACKING,
        Meaning(AccountError, Reason.PERMISSION, "the provider forbids it; check the rights of the credentials, and the account"),
        unless=_OF_A_REPEAT,
    ),
)
