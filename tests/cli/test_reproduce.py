import os

import pytest

from hayflick.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reproduce(*arguments):
    return main(["reproduce", "suresh2024", *arguments])


def test_a_figure_comes_as_picture_page_and_numbers(folder, capsys):
    assert reproduce("--figure", "theorem-3", "--figure", "bernoulli-runs") == 0
    out, err = capsys.readouterr()
    assert "Theorem 3" in out
    assert err == f"wrote suresh2024{os.sep}index.html\n"
    suffixes = ("csv", "html", "nc", "png", "svg")
    expected = {f"{name}.{s}" for name in ("theorem-3", "bernoulli-runs") for s in suffixes}
    assert {*os.listdir("suresh2024")} == {*expected, "index.html"}
    gallery = (folder / "suresh2024" / "index.html").read_text(encoding="utf-8")
    assert gallery.count("<svg") == 2
    assert "in standard errors" in gallery


def test_the_default_folder_is_numbered_if_taken(folder, capsys):
    for _ in range(2):
        assert reproduce("--figure", "zipf-flat", "--lang", "ja") == 0
    assert {"suresh2024", "suresh2024-2"} == {*os.listdir(folder)}
    page = (folder / "suresh2024-2" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page


def test_a_named_folder_that_exists_needs_force(folder, capsys):
    (folder / "there").mkdir()
    assert reproduce("--figure", "zipf-flat", "--out", "there") == 2
    assert "there: exists already" in capsys.readouterr().err
    assert reproduce("--figure", "zipf-flat", "--out", "there", "--force") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "theorem-9"], "figure: got theorem-9, takes one of bernoulli-runs"),
        (["--out", "no/where"], "no: the folder does not exist"),
        (["--figure", "unigrams", "--corpus", "nowhere.txt"], "nowhere.txt: no such file"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(folder, capsys, arguments, message):
    assert reproduce(*arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(folder) == []


def test_ctrl_c_keeps_the_figures_that_are_done(folder, capsys, monkeypatch):
    from hayflick.report import gallery

    original, made = gallery.save_figure, []

    def save_once(figure, *arguments, **settings):
        if made:
            raise KeyboardInterrupt
        made.append(figure.name)
        return original(figure, *arguments, **settings)

    monkeypatch.setattr(gallery, "save_figure", save_once)
    assert reproduce("--figure", "zipf-flat", "--figure", "zipf-steep") == 130
    assert "interrupted: what was finished is reported" in capsys.readouterr().err
    assert "index.html" in os.listdir("suresh2024")


def test_the_figures_of_a_network_come_with_their_own_title(folder, capsys):
    figures = ("--figure", "surrogate-two", "--figure", "network-ring")
    assert main(["reproduce", "wang2025", *figures, "--lang", "ja"]) == 0
    out, err = capsys.readouterr()
    assert "環状" in out
    assert err == f"wrote wang2025{os.sep}index.html\n"
    gallery = (folder / "wang2025" / "index.html").read_text(encoding="utf-8")
    assert "LLM Web Dynamics" in gallery
    assert gallery.count("<svg") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "theorem-3"], "figure: got theorem-3, takes one of surrogate-two"),
        (["--corpus", "text.txt"], "corpus: got text.txt, takes nothing for wang2025"),
    ],
)
def test_what_another_paper_has_is_refused(folder, capsys, arguments, message):
    assert main(["reproduce", "wang2025", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert os.listdir(folder) == []
