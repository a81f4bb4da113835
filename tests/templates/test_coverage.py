from authmail import Template, UsageType
from authmail.templates.coverage import coverage
from authmail.templates.samples import starter_templates


def cells(templates, **options):
    return {(cell.usage_type, cell.locale): cell for cell in coverage(templates, **options)}


def test_tells_what_serves_whom():
    """Every type and language has a cell; a type that nothing can serve says why."""
    table = cells([Template("SignIn", "s", "{{code}}", locale="fr"), Template("Generic", "g", "{{code}}")])
    assert table["SignIn", "fr"].template.locale == "fr"
    assert table["Register", "fr"].template.usage_type == "Generic"
    assert "needs code" in table["OrganizationInvitation", ""].problem
    assert table["OrganizationInvitation", ""].template.usage_type == "Generic"
    assert len(table) == 9 * 2


def test_finds_placeholders_that_stay_empty():
    """What the documented payload of a type does not have is named."""
    table = cells([Template("Generic", "{{application.name}}", "{{code}} {{user.name}}")])
    assert table["Generic", ""].unfilled == ("application.name", "user.name")
    assert table["BindMfa", ""].unfilled == ()
    everywhere = Template("SignIn", "{{a}}", "{{b}}", text="{{c}}", send_from="{{d}}", reply_to="{{e}}")
    assert cells([everywhere])["SignIn", ""].unfilled == ("a", "b", "c", "d", "e")


def test_a_template_that_cannot_be_filled_is_a_problem():
    """An invitation template that asks for a code would never be sent."""
    assert "needs code" in cells([Template("OrganizationInvitation", "s", "{{code}}")])["OrganizationInvitation", ""].problem


def test_starter_templates_serve_everything():
    """What ships serves every type in its languages, and every placeholder is filled."""
    table = cells(starter_templates())
    assert {cell.usage_type for cell in table.values()} == set(UsageType)
    assert {cell.locale for cell in table.values()} == {"", "en", "fr", "zh-CN"}
    assert not [cell for cell in table.values() if cell.problem or cell.unfilled or cell.template.usage_type != cell.usage_type]
    assert all(cell.template.locale == cell.locale for cell in table.values() if cell.locale)
