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
