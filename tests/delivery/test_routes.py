import pytest

from authmail import Email, Message, Receipt
from authmail.delivery import Route, Routes


def message(to="zoe@example.com", type="SignIn", **payload):
    return Message(to, type, payload)


@pytest.mark.parametrize(
    ("rule", "fitting", "other"),
    [
        ({"types": ["SignIn"]}, message(), message(type="Generic")),
        ({"domains": ["qq.com"]}, message("a@qq.com"), message("a@mail.qq.com")),
        ({"domains": ["*.cn"]}, message("a@mail.163.cn"), message("a@example.com")),
        ({"domains": ["QQ.com"]}, message("Zoe <a@qq.COM>"), message("a@qq.com.evil.example")),
        ({"domains": ["xn--bcher-kva.example"]}, message("a@bücher.example"), message("a@bucher.example")),
        ({"domains": ["BÜCHER.example"]}, message("a@bücher.example"), message("a@bucher.example")),
        ({"domains": ["*.bücher.example"]}, message("a@x.bücher.example"), message("a@bücher.example")),
        ({"domains": ["*.中国"]}, message("a@例子.中国"), message("a@example.cn")),
        ({"domains": ["mail?.example"]}, message("a@mail1.example"), message("a@mail.example")),
        ({"applications": ["app-1"]}, message(application={"id": "app-1"}), message(application={"id": "app-2"})),
        ({"applications": ["app-1"]}, message(applicationId="app-1"), message(application="app-1")),
        ({"organizations": ["org-1"]}, message(organization={"id": "org-1"}), message(organization=None)),
        ({"locales": ["zh"]}, message(locale="zh-CN"), message(locale="en-US")),
        ({"locales": ["zh_cn"]}, message(locale="zh-CN"), message(locale="zh-TW")),
        ({"locales": ["fr"]}, message(uiLocales="fr-CA en"), message(uiLocales="en fr")),
        ({"types": ["SignIn"], "domains": ["qq.com"]}, message("a@qq.com"), message("a@qq.com", "Generic")),
        ({}, message(), None),
    ],
)
def test_everything_that_a_rule_names_must_fit(rule, fitting, other):
    """And what it does not name does not matter."""
    route = Route(name="r", sender=None, **rule)
    assert route.fits(fitting)
    assert other is None or not route.fits(other)


@pytest.mark.parametrize("bad", [message("not an address"), Message("a@b.c", "SignIn", None), message(organization=["x"])])
def test_odd_messages_fit_no_rule_and_break_none(bad):
    """The Mailer says what is wrong with them."""
    assert not Route(name="r", sender=None, domains=["qq.com"], organizations=["o"]).fits(bad)


def test_a_rendered_email_goes_by_recipient_and_type():
    """It has no payload."""
    email = Email("a@qq.com", "s", text="t", usage_type="SignIn")
    assert Route(name="r", sender=None, domains=["qq.com"], types=["SignIn"]).fits(email)
    assert not Route(name="r", sender=None, locales=["zh"]).fits(email)


def test_the_first_rule_that_fits_and_else_the_default(scripted, in_fake_time):
    """In the order of the list."""
    china, eu, rest = (scripted(Receipt(name), name=name) for name in ("china", "eu", "rest"))
    routes = Routes([Route(name="cn", sender=china, domains=["qq.com"]), Route(name="all", sender=eu, types=["SignIn"])], rest)
    assert in_fake_time(routes.send(message("a@qq.com"))) == Receipt("china")
    assert in_fake_time(routes.send(message())) == Receipt("eu")
    assert in_fake_time(routes.send(message(type="Generic"))) == Receipt("rest")
    assert routes.route_of(message(type="Generic")).name == "default"


def test_one_text_is_no_list():
    """It would be read letter by letter."""
    with pytest.raises(TypeError, match="a list of texts"):
        Route(name="r", sender=None, domains="qq.com")
