"""Whether a reader sees the code or link of a mail."""

import pytest

from authmail import Template
from authmail.templates.samples import starter_templates
from authmail.templates.sight import unseen_in


def told(template, path=""):
    return [str(problem) for problem in unseen_in(template, path)]


@pytest.mark.parametrize("template", starter_templates(), ids=lambda template: f"{template.locale}-{template.usage_type}")
def test_of_the_starters_everything_is_seen(template):
    """And of a notice, which carries nothing, nothing is asked."""
    assert told(template) == []


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (Template("SignIn", "Code", "<p>Hello</p>"), "the HTML of SignIn has no {{code}} (without it nobody can use the mail)"),
        (
            Template("SignIn", "{{code}}", "<title>{{code}}</title><p>Hello</p>", locale="fr"),
            "the HTML of SignIn in fr has no {{code}}",
        ),
        (Template("SignIn", "Code", '<p title="{{code}}">Hello</p>'), "the HTML of SignIn has no {{code}}"),
        (Template("SignIn", "Code", "{{&#160;code&#160;}}"), "it has {{&#160;code&#160;}}: write {{code}}"),
        (Template("SignIn", "Code", "&#123;&#123;code&#125;&#125;"), "it has &#123;&#123;code&#125;&#125;: write {{code}}"),
        (Template("SignIn", "Code", "<span>{{</span>CODE<span>}}</span>"), "it has {{</span>CODE<span>}}: write {{code}}"),
        (Template("SignIn", "Code", "{{ code }"), "it has {{ code }: write {{code}}"),
        (Template("SignIn", "Code", "<p>{{code}}</p>", text="Hello"), "the text of SignIn has no {{code}}"),
        (Template("SignIn", "Code", "Hello", "text/plain"), "the text of SignIn has no {{code}}"),
        (
            Template("OrganizationInvitation", "Join", "<p>Join {{organization.name}}</p>"),
            "the HTML of OrganizationInvitation has no {{link}}",
        ),
    ],
)
def test_what_is_not_seen_is_told(template, says):
    """With the part, the language, and what an editor made of the placeholder."""
    assert len(told(template)) == 1
    assert says in told(template)[0]


@pytest.mark.parametrize(
    "template",
    [
        Template("SignIn", "{{code}} is your code", "Hello", "text/plain"),
        Template("SignIn", "Code", "<p>{{\u00a0code\u00a0}}</p>"),
        Template("OrganizationInvitation", "Join", '<a href="{{link}}">Join</a>'),
        Template("Welcome", "Hello", "<p>Hello</p>"),
        Template("Notice", "Hello", "<p>Hello</p>"),
    ],
)
def test_what_is_seen_is_not_told(template):
    """A code in the subject of a text mail, a link of a button; types of one's own may carry what they like."""
    assert told(template) == []


def test_where_it_is_comes_first():
    """A file, or a place in the config."""
    assert told(Template("SignIn", "s", "x"), "mails/SignIn.html")[0].startswith("mails/SignIn.html: the HTML")
