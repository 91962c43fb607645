"""Pages and fragments follow the reader's scheme; what is printed or saved stays on white."""

import re

import pytest

import hayflick as hf
from hayflick.report import drawing
from hayflick.report.plot import save_plot
from hayflick.report.sweep import page as sweep_page

ON_WHITE = {"rgb", "none", "url", "black", "transparent"}
"""What a chart may have beside its palette: shades of a heat map, its figures, and nothing."""


def contrast(one, other):
    first, second = sorted((luminance(one), luminance(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def luminance(colour):
    """Return the relative luminance of WCAG 2."""
    digits = {"white": "ffffff"}.get(colour, colour.removeprefix("#"))
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(map(float.__mul__, (0.2126, 0.7152, 0.0722), linear))


def forecast():
    counts = {f"word{rank}": 1 + 500 // rank for rank in range(1, 300)}
    return hf.forecast(hf.Discrete.from_counts(counts), generations=5, replicates=32)


def study():
    axes = {"samples": [50, 900], "share": [0.0, 0.5]}
    return hf.sweep(
        {"format_version": 1, "family": "zipf:60", "generations": 8, "design": "latin:12", **axes}
    )


def watched():
    rows = [
        {"round": number, "answer": f"answer {row % (7 if number < 12 else 2)} of many"}
        for number in range(1, 16)
        for row in range(20)
    ]
    return hf.watch(rows, text="answer", by="round")


@pytest.mark.parametrize("result_of", [forecast, watched])
def test_every_colour_of_a_page_has_one_for_the_dark(result_of, tmp_path):
    page = result_of().save(tmp_path / "page.html").read_text(encoding="utf-8")
    body = page.partition("<body>")[2]
    colours = set(re.findall(r'\b(?:fill|stroke)="([^"(]*)', body))
    assert colours <= ON_WHITE | set(drawing.DARK)
    assert page.count("@media screen and (prefers-color-scheme: dark)") >= 2
    for light, dark in drawing.DARK.items():
        assert f'svg [stroke="{light}"]{{stroke:{dark}}}' in page


FAINT = {"white", "#ddd", "#e4e7eb", "#c3cad1", "#eef1f4", "#e3edf7"}
"""Paper, grids, bands and frames, which nobody has to tell from the page to read a chart."""


def test_marks_are_seen_on_a_dark_page():
    paper = drawing.DARK[drawing.PAPER]
    for light, dark in drawing.DARK.items():
        if light not in FAINT:
            assert contrast(dark, paper) >= 3.0, light
    assert contrast(drawing.DARK[drawing.INK], paper) >= 7.0
    assert contrast(drawing.LAW, "white") >= 4.5


def test_a_fragment_takes_the_scheme_of_its_notebook():
    fragment = forecast()._repr_html_()
    assert fragment.startswith('<div class="hayflick"><style>')
    style = fragment.partition("<style>")[2].partition("</style>")[0]
    assert "background" not in style
    assert f"light-dark({drawing.LAW},{drawing.DARK[drawing.LAW]})" in style
    for host in ('[data-jp-theme-light="false"]', ".vscode-dark", '[data-theme="dark"]'):
        assert host in style
    # What is not drawn has no rule.
    assert "#8d6e63" not in style


def test_a_saved_picture_stays_on_white(tmp_path):
    picture = tmp_path / "watch.svg"
    save_plot(watched(), picture)
    saved = picture.read_text(encoding="utf-8")
    assert 'fill="white"' in saved
    assert f'fill="{drawing.INK}"' in saved
    assert not set(re.findall(r"#[0-9a-f]{6}", saved)) & set(drawing.DARK.values())


def test_the_lines_of_a_study_of_random_points_have_colours_for_both():
    page = sweep_page(study()).partition("<body>")[2]
    colours = set(re.findall(r'\bstroke="([^"(]*)', page))
    assert colours & set(drawing.RAMP)
    assert colours <= ON_WHITE | set(drawing.DARK)
