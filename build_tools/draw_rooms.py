"""Draw the rooms of hayflick and the imports between them, as docs/design/rooms.svg.

    python build_tools/draw_rooms.py            # write the picture
    python build_tools/draw_rooms.py --check    # exit code 1 where the picture is out of date

Rows follow the import contract in pyproject.toml. An arrow is an import that no chain of other
arrows implies (the transitive reduction), so a picture of every import stays readable.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from html import escape
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "hayflick"
PICTURE = ROOT / "docs" / "design" / "rooms.svg"
_WIDTH, _ROW, _BOX_HEIGHT, _BOX_WIDTH = 1040, 84, 46, 200


def layers() -> list[list[str]]:
    """Return the rooms of every row, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rows = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[room.strip().removeprefix("hayflick.") for room in row.split("|")] for row in rows]


def file_imports() -> nx.DiGraph[str]:
    """Return which module imports which, wherever in a file: for types or inside functions too."""
    modules = {
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts): path
        for path in PACKAGE.rglob("*.py")
    }
    graph: nx.DiGraph[str] = nx.DiGraph()
    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in node.names:
                    inner = f"{node.module}.{name.name}"
                    imported = inner if inner in modules else node.module
                    if imported in modules and imported != module:
                        graph.add_edge(module, imported)
    return graph


def circles() -> list[list[str]]:
    """Return the groups of modules that import one another in a circle."""
    parts = nx.strongly_connected_components(file_imports())
    return sorted(sorted(part) for part in parts if len(part) > 1)


def imports() -> nx.DiGraph[str]:
    """Return which room imports which."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    for upper, lower in file_imports().edges:
        rooms = [name.split(".")[1] for name in (upper, lower)]
        if rooms[0] != rooms[1] and graph.nodes >= set(rooms):
            graph.add_edge(*rooms)
    return graph


def picture() -> str:
    """Return the picture as SVG."""
    rows, graph = layers(), imports()
    places = {
        room: (_WIDTH * (column + 1) / (len(row) + 1), _ROW * (number + 0.5))
        for number, row in enumerate(rows)
        for column, room in enumerate(row)
    }
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_ROW * len(rows)}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img" '
        'aria-label="The rooms of hayflick and their imports">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#5b6b7a"/></marker></defs>\n'
        '<rect width="100%" height="100%" fill="#fff"/>'
    )
    edges = sorted(nx.transitive_reduction(graph).edges)
    parts = [_arrow(places[upper], places[lower]) for upper, lower in edges]
    parts += [_box(room, *place) for room, place in places.items()]
    return "\n".join([head, *parts, "</svg>", ""])


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    rows = round((y2 - y1) / _ROW)
    if rows == 1:
        y1, y2 = y1 + _BOX_HEIGHT / 2, y2 - _BOX_HEIGHT / 2
        bend = (y2 - y1) / 2
        control = f"{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f}"
    else:
        # Past the rows between, from side to side, so that no arrow runs behind a box.
        side = -1 if min(x1, x2) < _WIDTH / 2 else 1
        x1, x2 = x1 + side * _BOX_WIDTH / 2, x2 + side * _BOX_WIDTH / 2
        out = (min if side < 0 else max)(x1, x2) + side * 36 * rows
        control = f"{out:.0f} {y1:.0f} {out:.0f} {y2:.0f}"
    path = f"M{x1:.0f} {y1:.0f}C{control} {x2:.0f} {y2:.0f}"
    return f'<path d="{path}" fill="none" stroke="#5b6b7a" marker-end="url(#tip)"/>'


def _box(room: str, x: float, y: float) -> str:
    module = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    question = (ast.get_docstring(module) or "").split("\n")[0].rstrip(".")
    files = sum(path.name != "__init__.py" for path in (PACKAGE / room).rglob("*.py"))
    left, top = x - _BOX_WIDTH / 2, y - _BOX_HEIGHT / 2
    shown = question if len(question) <= 34 else f"{question[:33].rstrip()}…"
    return (
        f'<g><title>{escape(question)}</title><rect x="{left:.0f}" y="{top:.0f}" '
        f'width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6" fill="#eef4fb" stroke="#0b3d75"/>'
        f'<text x="{x:.0f}" y="{y - 4:.0f}" text-anchor="middle"><tspan font-weight="600">'
        f'{escape(room)}</tspan> <tspan fill="#5b6b7a">{files}</tspan></text>'
        f'<text x="{x:.0f}" y="{y + 14:.0f}" text-anchor="middle" font-size="11">'
        f"{escape(shown)}</text></g>"
    )


def main() -> int:
    """Write the picture, or check it."""
    drawn = picture()
    if "--check" in sys.argv[1:]:
        current = PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == drawn
        print(f"{PICTURE.relative_to(ROOT)}: {'current' if current else 'out of date'}")
        return 0 if current else 1
    PICTURE.write_text(drawn, encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
