"""The vocabulary of refusals: one pattern for each thing that servers say, however they put it.

A pattern is looked for in the words of a reply as :func:`~authmail_smtp.reply_text.words_of` gives them: one line, single
blanks, nobody's address or host name. Each is linear: whatever may stand between two words is bounded. Who says what is
recorded in ``tests/vectors/smtp/replies.json``.
"""

import re

# What one thing is called.
_ACCOUNT = r"(?:account|organi[sz]ation|tenant|user|mailbox|service)"
_STOPPED = (
    r"(?:paused|suspended|disabled|blocked|locked|frozen|restricted|banned|closed|terminated|deactivated|under review|on hold)"
)
_ALLOWED = r"(?:allowed|permitted|authori[sz]ed)"
_IS = r"(?:(?:is|are|was|has been|have been) )?"
#: A few words between.
_FEW = r"(?:[a-z'/-]+ ){0,3}"


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


# The account.

QUOTA = _words(
    rf"\b(?:daily|weekly|monthly|sending|submission) {_FEW}(?:quota|limit|allowance|credits?)\b",
    r"\b(?:messages?|mails?|e-?mails?|send|credits?|plan|package|subscription)(?: (?!size|box|rate|length|receive|hop)[a-z]+)? "
    rf"(?:quota |limit )?{_IS}(?:reached|exceeded|exhausted|used up)\b",
    r"\b(?:insufficient|not enough|out of|no|no more) (?:[a-z]+ )?(?:credits?|balance|quota)\b|\b(?:messages?|e-?mails?) (?:quota|limit|allowance)\b",
    r"\bupgrade your (?:plan|account|subscription)|\b(?:invoice|bill|payment|account) (?:is )?(?:unpaid|overdue|required)|\bin arrears\b",
    r"rcpt attempts is achieved|submissionquotaexceeded|refusequota|\b(?:mi:stc|rp:trc)\b",
    "(?:当[日天月]|今[日天]|[每本][日天月]).{0,12}(?:上限|超限|限额|限制|配额)|发信?(?:量|额度)|额度|余额|欠费",
)
SUSPENDED = _words(
    rf"\bsending (?!ip |host )(?:[a-z]+ ){{0,5}}{_STOPPED}\b",
    rf"\b(?:your|sender|sending|main|outbound) (?:[a-z]+ ){{0,2}}{_ACCOUNT} {_IS}(?:[a-z]+ )?{_STOPPED}\b",
    rf"\bmain account unavailable|\b{_STOPPED} your account|\bbad outbound sender|outbound ?spam|tenant has exceeded|spam abuse detected|unusual (?:sending )?activity",
    rf"(?<!address is )(?:not|n't) (?:be )?{_ALLOWED} to send(?: e-?mails?| messages?| mails?)?(?=$|[.:;,!])",
    r"\buser in blacklist|behaviou?r spam|\b(?:mi:spb|wm:blu)\b",
    "[账帐][号户](?:已|被|已被)?(?:冻结|禁用|锁定|停用|封禁|限制|异常)",
)
#: Of the account only while no recipient was named: afterwards it may be the recipient's.
CLOSED = _words(rf"\b(?:account|user|mailbox|domain) {_IS}(?:[a-z]+ )?{_STOPPED}\b")
#: After the mail, where the reply begins so.
ACCOUNT_CLOSED = _words(rf"\A(?:message (?:rejected|refused):? )?(?:the )?account {_IS}(?:[a-z]+ )?{_STOPPED}\b")
NOT_ACTIVATED = _words(
    r"\bnot (?:yet )?(?:been )?(?:activated|approved)|\bactivate your\b|\bpending (?:approval|review|activation)|account is (?:still )?pending",
    r"\btrial accounts?\b|\btest purposes only|\bsandbox (?:sub)?domains?\b|authori[sz]ed recipients|production access|account not subscribed",
    "未激活|未开通|未审核|审核中",
)
NO_RIGHT = _words(r"\bnot authori[sz]ed to perform|permission denied|insufficient (?:permission|right|privilege)s?")
SENDER = _words(
    r"\b(?:not|isn't|un) ?(?:yet )?(?:been )?(?:verified|validated|confirmed|configured|registered)\b",
    rf"\b(?:mail ?from|from|sender) {_FEW}(?:must|should) (?:be|equal|match)|\bdo(?:es)?(?:n't| not) match (?:a verified|the auth)",
    r"\bdo(?:es)?(?:n't| not) con(?:form|fit) (?:with|to) auth|non-local account|local user only|null sender|not owned by",
    rf"\bnot {_ALLOWED} to (?:use|send (?:as|from|for|on behalf|under|with))\b|permissions? to send as|send ?as ?denied",
    r"\brelaying disallowed as|sender signature|restricted to sending domain|not associated with your account",
    r"\b(?:invalid|unknown) (?:mail ?from|sender|from)\b|\bfrom\"? (?:header|field) is (?:missing|invalid)",
    rf"\bnot an? (?:[a-z]+ )?sender\b|\b(?:from address|sender(?: address| domain)?) {_IS}not {_ALLOWED}\b(?! to )|\bsender (?:address )?mismatch",
    r"\bsender (?:verif[a-z]+ fail|name is not valid|is not valid|is invalid|not valid)|\b(?:dt:sum|mi:imf)\b",
    "发[件信](?:人|地址|方).{0,12}(?:不一致|不匹配|不符|未验证|不合法|无效|必须|相同)",
)
#: Less plain than the one above: it may as well be a filter's.
SENDER_REJECTED = _words(r"\bsender (?:address )?(?:rejected|denied|refused)|denies the sender")
UNAUTHENTICATED = _words(
    r"\b(?:spf|dkim|dmarc)\b|\bunauthenticated (?:e-?mail|mail)|sender is unauthenticated|authentication (?:level|requirements?)",
    r"\bmi:(?:spf|dma)\b",
)
LOGIN_NEEDED = _words(
    r"\bauth(?:entication)? (?:is )?(?:required|needed)|\b(?:not|must be|isn't) (?:authenticated|logged in)|authenticate first",
    r"\blog ?in (?:first|required)|unauthenticated senders? not|turn on smtp auth|before sending|client not authenticated",
    "请先登录|需要.{0,6}[验认]证",
)
TLS_NEEDED = _words(
    r"\bstarttls\b|without ssl|\bssl/tls\b|\b(?:tls|encryption|encrypted connection) (?:is )?(?:required|needed)|use (?:ssl|tls)"
)
RELAY = _words(r"\brelay(?:ing)?\b|\brp:frl\b")
MACHINE = _words(
    rf"\bunauthori[sz]ed ip\b|\bip (?:address )?{_IS}(?:not {_ALLOWED}|in |blocked|banned|rejected|denied|listed)|\b(?:your|sending|black) ip\b",
    rf"\bip you're using|from this ip\b|client host|not {_ALLOWED} to connect|not in whitelist|poor reputation|spamhaus",
    r"\b(?:black|block|deny)[ -]?list|\brbl\b|\b(?:hl:(?:rep|mep|ihu|ipb)|dt:rbl|wm:bli)\b",
)

# Speed.

#: A new connection is all that is wanted.
SESSION_SPENT = _words(r"\b(?:per|this|one|single) (?:smtp )?(?:session|connection)\b")
CONNECTIONS = _words(
    rf"\b(?:concurrent|simultaneous|parallel) {_FEW}(?:connections?|sessions?)|too many {_FEW}(?:connections?|sessions?)\b",
    r"\bthread limit|connections? limit|number of sessions exceeds|\bhl:icc\b|并发|连接数",
)
RATE = _words(
    r"throttl|\btoo (?:fast|quickly|frequent|much fail)|\brate (?:limit|exceeded)|\bfrequency limited|frequently sending",
    r"\btoo many (?:[a-z]+ ){0,2}(?:messages?|e-?mails?|mails?|log ?ins?|attempts?|requests?|commands|times|fail[a-z]*|errors)\b",
    r"\bper (?:second|minute|hour)\b|\bthis hour\b|\b(?:hour|hourly|minute) (?:sending )?(?:limit|quota)",
    r"\brecipient limit exceeded|\bpeak (?:[a-z]+ )?relay limit|total of rcpts is achieved|auth error limit",
    r"\b(?:mi:(?:sfq|dmc|cel|ccl)|rp:(?:qrc|drc|cel|ccl)|hl:ifc)\b",
    "频率|频繁|过快|次数过多",
)
GREYLISTED = _words(r"\bgr[ae]y-?list")

# The dialogue.

OWN_NAME = _words(
    r"\b(?:helo|ehlo) (?:command |name |argument )*(?:rejected|invalid|is)|\b(?:invalid|bad) (?:helo|ehlo)|fully-qualified host"
)

# Logging in.

OTHER_LOGIN = _words(
    r"\bapp(?:lication)?(?:[ -]specific)?[ -]passwords?|\bapplication-specific|authori[sz]ation code|\bweb browser|\boauth|basic authentication is disabled",
    "授权码|专用密码|客户端密码",
)
LOGIN_OFF = _words(
    r"\bsmtpclientauthentication is disabled|\bhas no permission|not have access rights|\b(?:smtp|access|service) (?:[a-z]+ )?is (?:not )?(?:disabled|restricted|off|closed|open|enabled)\b",
    r"\bnot (?:been )?enabled\b|login_source_not_allowed",
    "未开启|未打开|没有权限|无权限",
)
WRONG_LOGIN = _words(
    r"\bauth(?:entication)? (?:[a-z]+ )?(?:fail|error|unsuccessful|credentials)|\b(?:invalid|incorrect|wrong|bad|unknown) (?:[a-z]+ )?(?:login|user|password|credential|authentication)",
    r"\bnot accepted|\blog ?in (?:fail|denied)",
    "(?:密码|[账帐][号户]).{0,6}错误|[验认]证失败|登录失败",
)

# The recipient.

FULL = _words(
    rf"\b(?:mail ?box|in ?box) {_FEW}(?:full|quota|storage|space|size)\b|\bover ?-?quota\b|\bmail ?box (?:full|quota|size)",
    rf"\brecipient(?:'s)? {_FEW}(?:quota|full|storage|space)\b|out of storage|quota exceeds? the hard limit|insufficient (?:disk|mailbox)",
    "(?:邮箱|收件箱).{0,4}(?:已满|满)|容量|空间不足",
)
RECEIVING = _words(
    r"\breceiving (?:e-?mail|mail|messages)|\breceive limit|\bexceeded their message rate|\btrying to contact",
    r"\b(?:many|much) [a-z ]{0,30}(?:for|to) this recipient",
)
SUPPRESSED = _words(
    r"suppress|\bmarked as inactive|\baddress (?:is )?(?:in )?black ?list|\b(?:invalid|honeypot) rcptto|\bunsubscribed\b|opted out|\bhard[ -]bounced",
    "无效地址库|抑制列表|退订",
)
NO_RECIPIENT = _words(
    r"\brecipient (?:address )?(?:rejected|unknown|not found|invalid)|\b(?:user|recipient|mailbox|rcpt) (?:is )?(?:unknown|unavailable|not found)",
    r"\b(?:unknown|invalid|no such) (?:local )?(?:user|recipient|mailbox|address|person)|\btried to reach|unrouteable|no valid recipients",
    r"\b(?:user|recipient|mailbox|account|address|rcpt)\b[a-z() ]{0,20}(?:doesn't|dosn't|does not) exist\b|\buser not exist",
    rf"\b(?:user|mailbox|recipient) {_IS}{_STOPPED}|(?:not|n't) {_ALLOWED} to receive",
    "(?:收件人|用户|邮箱|地址).{0,4}不存在",
)

# The mail.

URL = _words(
    r"\b(?:url|uri|link|domain in)s?\b[a-z ]{0,30}(?:black|block|list|reject|suspicious|malicious|phish|bad)|\b(?:surbl|uribl)\b"
)
CONTENT = _words(
    r"\bspam|unsolicited|\bvirus|malware|phish|\bcontent\b[a-z ]{0,20}(?:reject|den|filter|block|refus)|prohibited|\bdt:spm\b|illegal attachment",
    "垃圾邮件|病毒|违规|敏感",
)
TOO_LARGE = _words(
    r"\b(?:messages?|mail|e-?mail|data|content|attach(?:ment)?|file|body)(?: [a-z']+){0,5} (?:size|too (?:large|big|long)|maximum threshold)\b",
    r"\bsize (?:[a-z]+ ){0,2}(?:limit|exceed|large)|\btoo (?:large|big)\b|\bmailsize limit|\bmessage is too long",
    "邮件.{0,6}(?:过大|太大|超过.{0,6}大小)|大小超",
)
