import zipfile

import pytest

from authmail import ConfigError, Template
from authmail.templates.folder import templates_in


def test_reads_a_folder(tmp_path):
    """Languages are folders; the subject is the title, or the first line of a text."""
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "SignIn.html").write_text("<title> Votre\n code &amp; {{code}}</title><p>{{code}}</p>", "utf-8")
    (tmp_path / "fr" / "SignIn.txt").write_text("Code : {{code}}", "utf-8")
    (tmp_path / "Notice.txt").write_text("Subject: News\n\nHello\n", "utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / "old.html").mkdir()
    (tmp_path / "README.md").write_text("x")
    assert templates_in(tmp_path) == (
        Template("Notice", "News", "Hello\n", "text/plain"),
        Template(
            "SignIn",
            "Votre code & {{code}}",
            "<title> Votre\n code &amp; {{code}}</title><p>{{code}}</p>",
            text="Code : {{code}}",
            locale="fr",
        ),
    )
    assert templates_in(str(tmp_path)) == templates_in(tmp_path)


def test_names_every_file_that_cannot_be_used(tmp_path):
    """Missing subject, wrong encoding and size are all told at once, by file."""
    (tmp_path / "A.html").write_text("<p>no title</p>")
    (tmp_path / "B.txt").write_text("no subject")
    (tmp_path / "C.html").write_bytes(b"<title>\xff</title>")
    (tmp_path / "D.html").write_bytes((b"<title>x</title>" + b"x" * 1024 * 1024)[: 1024 * 1024 + 1])
    (tmp_path / "E.html").write_bytes((b"<title>x</title>" + b"x" * 1024 * 1024)[: 1024 * 1024])
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "F.html").write_text("<title> \n</title>")
    with pytest.raises(ConfigError) as caught:
        templates_in(tmp_path)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [
        ("A", "the HTML has no <title>, which is the subject"),
        ("B", "a text template begins with the line 'Subject: …'"),
        ("C", "the file is not UTF-8"),
        ("D", "the file is larger than 1 MiB"),
        ("fr/F", "the HTML has no <title>, which is the subject"),
    ]


def test_reads_a_folder_within_an_archive(tmp_path):
    """Package data may be in a zip file; languages come in the order of their names, hidden folders do not."""
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for name in ("templates/fr/Notice.txt", "templates/X_y/Notice.txt", "templates/.fr/Notice.txt"):
            archive.writestr(name, "Subject:News\n\nXmas")
    assert templates_in(zipfile.Path(tmp_path / "package.zip", "templates/")) == tuple(
        Template("Notice", "News", "Xmas", "text/plain", locale=locale) for locale in ("X_y", "fr")
    )


def test_an_empty_or_missing_folder_is_told(tmp_path):
    """A misspelt folder does not silently mean no templates."""
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ConfigError) as caught:
            templates_in(folder)
        assert [problem.path for problem in caught.value.problems] == ["templates"]
