"""Which file a page may be written to."""

import pytest

from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, OutputError
from hayflick.core.output import check_page


@pytest.mark.parametrize("name", ["page.html", "page.htm", "PAGE.HTML"])
def test_a_page_is_called_so(tmp_path, name):
    check_page(tmp_path / name)


@pytest.mark.parametrize("name", ["page.pdf", "page", "page.html.txt", ".html"])
def test_any_other_name_is_refused(tmp_path, name):
    with pytest.raises(ArgumentError, match=r"brief: got .*, takes a name ending in .html, .htm"):
        check_page(tmp_path / name, name="brief")


def test_a_file_that_is_there_is_kept(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        check_page(page)
    check_page(page, force=True)
    with pytest.raises(OutputError, match="is the input"):
        check_page(page, inputs=[None, str(page)], force=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "corpus.txt", "--out", "page.pdf"],
        ["forecast", "corpus.txt", "--out", "page.pdf"],
        ["forecast", "corpus.txt", "--brief", "page.pdf"],
        ["watch", "answers.jsonl", "--by", "round", "--text", "answer", "--out", "page.pdf"],
        ["expressivity", "corpus.txt", "--out", "page.pdf"],
        ["network", "report", "run", "--out", "page.pdf"],
    ],
)
def test_every_command_with_a_page_refuses_it(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("rain snow rain hail")
    (tmp_path / "answers.jsonl").write_text('{"round": 1, "answer": "rain"}\n')
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert "got page.pdf, takes a name ending in .html, .htm" in err
    assert (out, (tmp_path / "page.pdf").exists()) == ("", False)
