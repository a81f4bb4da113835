"""An operator's slips, as a table: what stands in the file, and the exact words that `authmail check` shows, in three languages."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from authmail import cli
from authmail.cli import main

GOOD = {
    "accessKeyId": "LTAI5tSandbox",
    "accessKeySecret": "sandbox-secret",
    "accountName": "no-reply@mail.sandbox.example",
    "templates": [
        {"usageType": name, "subject": "{{code}}", "content": "<p>Hello, your code is {{code}}.</p>"}
        for name in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


def aliyun(**change):
    """A good config with something else in it; None takes a key out."""
    config = {key: value for key, value in (GOOD | change).items() if value is not None}
    return json.dumps({"connector": "aliyun-dm", "config": config}, ensure_ascii=False)


def sign_in(**change):
    """A good config whose first template is another one."""
    return aliyun(templates=[GOOD["templates"][0] | change, *GOOD["templates"][1:]])


def mailgun(**deliveries):
    """A config in Logto's form of Mailgun."""
    generic = {"subject": "{{code}}", "html": "<p>Hello, your code is {{code}}.</p>"}
    config = {"domain": "mg.example.com", "apiKey": "key-sandbox", "from": "no-reply@mg.example.com"}
    return json.dumps({"connector": "mailgun-email", "config": config | {"deliveries": {"Generic": generic} | deliveries}})


#: Name of the slip → the file's name, its content, and the lines in English, French and Chinese.
SLIPS = {
    "a misspelt key": (
        "a.json", aliyun(accessKeyId=None, accesKeyId="LTAI5tSandbox"),
        ["accessKeyId  is required", "accesKeyId is most likely meant: write accessKeyId"],
        ["accessKeyId  est obligatoire", "c’est sans doute accesKeyId : écrivez accessKeyId"],
        ["accessKeyId  必填", "很可能是指 accesKeyId：请写成 accessKeyId"],
    ),
    "a key in another style": (
        "a.json", aliyun(accessKeySecret=None, access_key_secret="sandbox-secret"),
        ["accessKeySecret  is required", "access_key_secret is most likely meant: write accessKeySecret"],
        ["c’est sans doute access_key_secret : écrivez accessKeySecret"],
        ["很可能是指 access_key_secret：请写成 accessKeySecret"],
    ),
    "another provider's key": (
        "a.json", aliyun(accessKeyId=None, apikey="LTAI5tSandbox"),
        ["apikey is most likely meant: write accessKeyId"],
        ["c’est sans doute apikey : écrivez accessKeyId"],
        ["很可能是指 apikey：请写成 accessKeyId"],
    ),
    "a warning beside an error": (
        "a.json", aliyun(accessKeyId=None, fromAllias="Acme"),
        ["a.json: 1 problem", "accessKeyId  is required", "1 warning", "fromAllias  is not a known setting and has no effect",
         "did you mean fromAlias?"],
        ["1 avertissement", "vouliez-vous dire fromAlias ?"],
        ["1 条警告", "是否应为 fromAlias？"],
    ),
    "a misspelt usage type": (
        "a.json", sign_in(usageType="Signin"),
        ["templates  a template for SignIn is missing", "Signin is most likely meant: write SignIn"],
        ["c’est sans doute Signin : écrivez SignIn"],
        ["很可能是指 Signin：请写成 SignIn"],
    ),
    "braces of an editor": (
        "a.json", sign_in(content="<p>Your code: {{&nbsp;code&nbsp;}}</p>"),
        ["templates[0]  the HTML of SignIn has no {{code}}", "it has {{&nbsp;code&nbsp;}}: write {{code}}"],
        ["la partie HTML de SignIn n’a pas {{code}}", "il y a {{&nbsp;code&nbsp;}} : écrivez {{code}}"],
        ["SignIn 的 HTML 部分没有 {{code}}", "其中有 {{&nbsp;code&nbsp;}}：请写成 {{code}}"],
    ),
    "markup within braces": (
        "a.json", sign_in(content="<p>Your code: {{<b>code</b>}}</p>"), ["it has {{<b>code</b>}}: write {{code}}"],
        ["il y a {{<b>code</b>}} : écrivez {{code}}"], ["其中有 {{<b>code</b>}}：请写成 {{code}}"],
    ),
    "a capital": (
        "a.json", sign_in(content="{{Code}}", locale="fr"),
        ["templates[0]  the HTML of SignIn in fr has no {{code}}", "it has {{Code}}: write {{code}}"],
        ["la partie HTML de SignIn en fr n’a pas {{code}}"], ["SignIn（fr）的 HTML 部分没有 {{code}}"],
    ),
    "one brace": (
        "a.json", sign_in(content="{ code }"), ["it has { code }: write {{code}}"], ["il y a { code } : écrivez {{code}}"],
        ["其中有 { code }：请写成 {{code}}"],
    ),
    "no code in Logto's deliveries": (
        "a.json", mailgun(SignIn={"subject": "Welcome", "html": "<p>Welcome</p>"}),
        ["deliveries.SignIn  the HTML of SignIn has no {{code}}", "without it nobody can use the mail"],
        ["deliveries.SignIn  la partie HTML de SignIn n’a pas {{code}}"], ["deliveries.SignIn  SignIn 的 HTML 部分没有 {{code}}"],
    ),
    "no code at all": (
        "a.json", sign_in(content="<p>Welcome</p>"), ["the HTML of SignIn has no {{code}}", "without it nobody can use the mail"],
        ["sans elle, personne ne peut se servir du message"], ["没有它，邮件无法使用"],
    ),
    "a blank after a secret": (
        "a.json", aliyun(accessKeySecret="sandbox-secret "),
        ["accessKeySecret  ends with a blank", "remove it; it was copied along"], ["accessKeySecret  finit par une espace"],
        ["accessKeySecret  末尾有空格"],
    ),
    "a line break before a key": (
        "a.json", aliyun(accessKeyId="\nLTAI5tSandbox"), ["accessKeyId  begins with a line break"],
        ["accessKeyId  commence par un saut de ligne"], ["accessKeyId  开头有换行"],
    ),
    "U+00A0 after an address": (
        "a.json", aliyun(accountName="no-reply@mail.sandbox.example\u00a0"), ["accountName  ends with U+00A0"],
        ["accountName  finit par U+00A0"], ["accountName  末尾有U+00A0"],
    ),
    "a blank around an endpoint": (
        "a.json", aliyun(endpoint=" https://dm.example.com"), ["endpoint  begins with a blank"], ["endpoint  commence par une espace"],
        ["endpoint  开头有空格"],
    ),
    "a shortened key of a page": (
        "a.json", aliyun(accessKeyId="LTAI…"), ["accessKeyId  is not filled in yet"], ["accessKeyId  n’est pas encore rempli"],
        ["accessKeyId  尚未填写"],
    ),
    "a variable in braces": (
        "a.json", aliyun(accessKeySecret="${AUTHMAIL_SECRET}"),
        ["accessKeySecret  is not filled in yet", 'variables are not filled in here; write {"env": "AUTHMAIL_…"}'],
        ['les variables ne sont pas remplacées ici ; écrivez {"env": "AUTHMAIL_…"}'], ['此处不会替换变量；请写成 {"env": "AUTHMAIL_…"}'],
    ),
    "a variable of a shell": (
        "a.json", aliyun(accountName="$AUTHMAIL_SENDER"),
        ["accountName  is not filled in yet", "variables are not filled in here; write the value itself"],
        ["écrivez la valeur elle-même"], ["请直接填写值"],
    ),
    "the example of a form": (
        "a.json", aliyun(fromAlias="Example"), ["fromAlias  is still the example", "write your own, or leave it out"],
        ["fromAlias  est encore l’exemple"], ["fromAlias  仍是示例"],
    ),
    "an unset variable": (
        "a.json", aliyun(accessKeySecret={"env": "AUTHMAIL_NOWHERE"}),
        ["accessKeySecret  the variable AUTHMAIL_NOWHERE is not set", "set it where this program is started, and export it"],
        ["la variable AUTHMAIL_NOWHERE n’est pas définie"], ["变量 AUTHMAIL_NOWHERE 未设置"],
    ),
    "an empty variable": (
        "a.json", aliyun(accessKeySecret={"env": "AUTHMAIL_EMPTY"}), ["the variable AUTHMAIL_EMPTY is empty"],
        ["la variable AUTHMAIL_EMPTY est vide"], ["变量 AUTHMAIL_EMPTY 为空"],
    ),
    "a variable that is not allowed": (
        "a.json", aliyun(accessKeySecret={"env": "ALIYUN_SECRET"}),
        ["the variable ALIYUN_SECRET is not allowed", "allowed are variables AUTHMAIL_*"],
        ["sont permises les variables AUTHMAIL_*"], ["允许的变量为 AUTHMAIL_*"],
    ),
    "a file that is not there": (
        "a.json", aliyun(accessKeySecret={"file": "/run/secrets/nowhere"}), ["there is no file /run/secrets/nowhere"],
        ["il n’y a pas de fichier /run/secrets/nowhere"], ["没有文件 /run/secrets/nowhere"],
    ),
    "a file elsewhere": (
        "a.json", aliyun(accessKeySecret={"file": "/etc/hostname"}),
        ["the file /etc/hostname is not allowed", "allowed are files below /run/secrets"],
        ["le fichier /etc/hostname n’est pas permis"], ["不允许使用文件 /etc/hostname"],
    ),
    "a variable with a line break": (
        "a.json", aliyun(accessKeySecret={"env": "AUTHMAIL_BROKEN"}), ["accessKeySecret  begins with a line break"],
        ["accessKeySecret  commence par un saut de ligne"], ["accessKeySecret  开头有换行"],
    ),
    "a comment in JSON": (
        "a.json", '{\n  "connector": "aliyun-dm", // ours\n}', ["a.json, line 2: a comment, which JSON does not have"],
        ["a.json, ligne 2 : un commentaire, que JSON n’a pas"], ["a.json 第 2 行：JSON 不支持注释"],
    ),
    "a comma at the end": (
        "a.json", '{\n  "connector": "aliyun-dm",\n}', ["a.json, line 2: a comma after the last entry", "remove the comma"],
        ["enlevez la virgule"], ["请删除该逗号"],
    ),
    "curly quotes": (
        "a.json", "{“connector”: “aliyun-dm”}", ["line 1: curly quotes, as word processors write them", 'write straight ones: "'],
        ["des guillemets typographiques"], ["文字处理软件使用的弯引号"],
    ),
    "a path of Windows in JSON": (
        "a.json", '{"templates": "C:\\Users\\mails"}', ["line 1: a backslash, which JSON reads together with what follows it"],
        ["une barre oblique inverse, que JSON lit avec ce qui la suit"], ["JSON 会把它与后面的字符一起解读"],
    ),
    "a path of Windows in TOML": (
        "a.toml", 'templates = "C:\\Users\\mails"',
        ["line 1: a backslash, which TOML reads", "write it in single quotes, 'C:\\Users', or double the backslash"],
        ["écrivez-le entre guillemets simples, 'C:\\Users'"], ["请用单引号写成 'C:\\Users'"],
    ),
    "an inline table over two lines": (
        "a.toml", 'connector = "aliyun-dm"\nconfig = {\n  accessKeyId = "x"\n}',
        ["line 2: a table in braces that goes on in the next line"], ["ligne 2 : une table entre accolades"], ["第 2 行：花括号中的表"],
    ),
    "a key twice in JSON": (
        "a.json", '{"connector": "aliyun-dm",\n"connector": "smtp"}', ["line 2: the key connector is there twice", "keep one of them"],
        ["la clé connector y est deux fois"], ["键 connector 出现了两次"],
    ),
    "a key twice in TOML": (
        "a.toml", 'connector = "aliyun-dm"\nconnector = "smtp"', ["line 2: a key or table that is there already"],
        ["une clé ou une table qui existe déjà"], ["已经存在的键或表"],
    ),
    "YAML": (
        "a.yaml", "connector: aliyun-dm\nconfig:\n  accessKeyId: x\n", ["a.yaml is YAML, which is not read"],
        ["a.yaml est du YAML, qui n’est pas lu"], ["a.yaml 是 YAML，无法读取"],
    ),
    "a folder that is not there": (
        "a.json", json.dumps({"connector": "aliyun-dm", "templates": "mail", "config": {}}),
        ["templates  is not a folder that can be read", "/mail; did you mean mails?"], ["vouliez-vous dire mails ?"], ["是否应为 mails？"],
    ),
    "a folder that is no language": (
        "a.json", json.dumps({"connector": "aliyun-dm", "templates": "mails", "config": {**GOOD, "templates": []}}),
        ["mails/french/  is not a language tag, so nobody will get this template", "did you mean fr?",
         "mails/fr/Signin.html  is none of the usage types that are known", "did you mean SignIn?"],
        ["mails/french/  n’est pas une balise de langue"], ["mails/french/  不是语言标签"],
    ),
    "a connector that there is not": (
        "a.json", json.dumps({"connector": "aliyun-dn", "config": {}}), ["did you mean aliyun-dm?"], ["aliyun-dm"], ["aliyun-dm"],
    ),
    "a wrong key beside the connector": (
        "a.json", json.dumps({"connector": "aliyun-dm", "config": {}, "template": "mails"}),
        ["template  is not known here", "did you mean templates?"], ["n’est pas connu ici"], ["此处不存在这一项"],
    ),
}  # fmt: skip


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """Check a file of some content; gives the result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTHMAIL_EMPTY", "")
    monkeypatch.setenv("AUTHMAIL_BROKEN", "\nsecret")
    for name in ("french/SignIn.html", "fr/Signin.html", "en/Generic.html"):
        (tmp_path / "mails" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mails" / name).write_text("<title>{{code}}</title><p>Hello, {{code}}</p>")

    def check(name, content, *options, **environment):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return CliRunner().invoke(main, ["check", name, *options], catch_exceptions=False, env=environment)

    return check


@pytest.mark.parametrize(("number", "locale"), [(0, "en_US.UTF-8"), (1, "fr_CA.UTF-8"), (2, "zh_CN.UTF-8")])
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_for_what_it_is(checked, slip, number, locale):
    """In the language of the environment; never as wrong usage."""
    name, content, *lines = SLIPS[slip]
    result = checked(name, content, LC_ALL=locale)
    assert result.exit_code in (0, 1)
    assert [line for line in lines[number] if line not in result.output] == [], result.output


def test_what_powershell_writes_is_read(checked):
    """UTF-16 with its mark."""
    assert checked("a.json", aliyun().encode("utf-16")).exit_code == 0


@pytest.mark.parametrize(
    ("environment", "options", "says"),
    [
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "fr_FR.UTF-8"}, [], "1 problème"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN", "LANG": "fr_FR.UTF-8"}, [], "1 个问题"),
        ({"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, [], "1 problem\n"),
        ({"LC_ALL": "C"}, ["--lang", "fr"], "1 problème"),
        ({"LC_ALL": "de_DE.UTF-8"}, [], "1 problem\n"),
    ],
)
def test_the_environment_chooses_the_language_and_lang_wins(checked, environment, options, says):
    """As POSIX has it: LC_ALL, then LC_MESSAGES, then LANG; a language that there is not is English."""
    assert says in checked("a.json", aliyun(accessKeyId=None), *options, **environment).output


def test_nothing_from_outside_moves_the_cursor(checked):
    """Escape sequences and characters that turn text around are written out."""
    output = checked("a.json", aliyun(**{"\x1b]0;owned\x07\u202e": "x"})).output
    assert "\\x1b]0;owned\\x07\\u202e  is not a known setting" in output
    assert not set("\x1b\x07\u202e") & set(output)


def test_every_command_prints_through_one_function():
    """In output.py, which shows control and format characters: a config, a provider or a template may hold some."""
    modules = [file for file in Path(cli.__file__).parent.glob("*.py") if file.name != "output.py"]
    assert len(modules) > 15
    printing = re.compile(r"\bclick\.s?echo\(|(?<![\w.])print\(|\bsys\.std(?:out|err)\b")
    assert [file.name for file in modules if printing.search(file.read_text("utf-8"))] == []
