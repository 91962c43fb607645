import importlib.util
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "build_tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of one file that is called, one that is called late, one that is only imported."""
    folder = tmp_path / "traced_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "constants.py").write_text("class Empty:\n    size = 3\n\nSIZE = Empty.size\n")
    (folder / "late.py").write_text("def answer():\n    return 42\n")
    (folder / "threaded.py").write_text("def answer():\n    return 43\n")
    (folder / "first.py").write_text(
        "from traced_package.constants import SIZE\n"
        "def answer():\n"
        "    from traced_package.late import answer as late\n"
        "    return late() + SIZE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("traced_package")]:
        del sys.modules[name]


def test_the_tracer_counts_files_by_their_functions_however_late_they_are_imported(package):
    def work():
        from traced_package.first import answer

        answer()

    files = tool("trace_files").functions_run(work, package=package)
    assert {path.name for path in files} == {"first.py", "late.py"}


def test_the_tracer_follows_threads(package):
    def work():
        from traced_package.threaded import answer

        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()

    files = tool("trace_files").functions_run(work, package=package)
    assert {path.name for path in files} == {"threaded.py"}


def test_the_picture_of_the_rooms_is_current():
    rooms = tool("draw_rooms")
    assert rooms.PICTURE.read_text(encoding="utf-8") == rooms.picture()
    assert {room for row in rooms.layers() for room in row} == set(rooms.imports().nodes)


def test_no_circle_of_imports():
    assert tool("draw_rooms").circles() == []


def test_a_release_lacks_nothing_and_holds_nothing_else():
    release = tool("release")
    sources = [
        f"src/{name.replace('*', 'one')}" for name in (*release.NEEDED, "hayflick/__init__.py")
    ]
    names = [*(path.removeprefix("src/") for path in sources), "hayflick-0.2.dist-info/WHEEL"]
    assert release.wheel_faults(names, sources) == []
    faults = release.wheel_faults([*names[1:], "tests/conftest.py"], sources)
    assert faults == [
        "not in the wheel: hayflick/py.typed",
        "nothing in the wheel matches hayflick/py.typed",
        "in the wheel, and no source: tests/conftest.py",
    ]
    top = ["pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"]
    assert release.sdist_faults([*sources, *top], sources) == []
    faults = release.sdist_faults([*sources, *top[1:], "tests/conftest.py"], sources)
    assert faults == ["not in the sdist: pyproject.toml", "in the sdist: tests/conftest.py"]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("MIT", ""),
        ("LGPL-3.0-only", "weak copyleft"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "weak copyleft"),
        ("GNU General Public License v3 (GPLv3)", "copyleft"),
        ("not stated", "not stated"),
    ],
)
def test_licences_to_look_at_are_named(stated, expected):
    assert tool("release_licences").note(stated) == expected
