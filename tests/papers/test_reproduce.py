import json

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, OutputError

FIGURES = ("theorem-3", "zipf-flat")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures") / "python"
    return hf.reproduce("suresh2024", figure=FIGURES, seed=2, out=folder)


def test_python_and_the_command_line_write_the_same(gallery, tmp_path, capsys):
    figures = [part for name in FIGURES for part in ("--figure", name)]
    out = tmp_path / "typed"
    assert main(["reproduce", "suresh2024", *figures, "--seed", "2", "--out", str(out)]) == 0
    written = sorted(path.name for path in gallery.folder.iterdir())
    assert sorted(path.name for path in out.iterdir()) == written
    assert len(written) == 11
    for name in FIGURES:
        assert (out / f"{name}.csv").read_bytes() == (gallery.folder / f"{name}.csv").read_bytes()


def test_a_gallery_is_a_result(gallery, tmp_path):
    record = json.loads(json.dumps(gallery.to_dict(), allow_nan=False))
    assert (record["paper"], record["stopped"]) == ("suresh2024", None)
    assert [figure["name"] for figure in record["figures"]] == list(FIGURES)
    frame = gallery.to_frame()
    assert frame["figure"].unique(maintain_order=True).to_list() == list(FIGURES)
    first = frame.filter(figure="theorem-3").drop("figure")
    assert first.equals(pl.concat([gallery.figures[0].curves]))
    page = gallery.save(tmp_path / "page.html", lang="ja").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    assert gallery._repr_html_().count("<svg") == 2


def test_nothing_is_written_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gallery = hf.reproduce("suresh2024", figure="theorem-3")
    assert gallery.folder is gallery.page is gallery.run is None
    assert list(tmp_path.iterdir()) == []


def test_mistakes_are_refused(gallery):
    with pytest.raises(ArgumentError, match="paper: got nobody2024, takes one of suresh2024"):
        hf.reproduce("nobody2024")
    with pytest.raises(ArgumentError, match="lang: got fr"):
        hf.reproduce("suresh2024", lang="fr")
    with pytest.raises(OutputError, match="exists already"):
        hf.reproduce("suresh2024", figure="theorem-3", out=gallery.folder)
    with pytest.raises(ArgumentError, match="out: got none, takes a folder"):
        hf.reproduce("wang2025", figure="models", base_url="http://127.0.0.1:9/v1", model="m")
