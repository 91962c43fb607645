"""Written files and public values as text, so that golden results can be compared."""

from __future__ import annotations

import base64
import dataclasses
import enum
import json
import math
import os
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

LONGEST_ARRAY = 60
LONGEST_TEXT = 2000


def as_text(path: Path) -> str:
    """Return a written file as text that can be compared."""
    readers: dict[str, Callable[[Path], str]] = {
        ".nc": netcdf_text,
        ".png": png_text,
        ".db": database_text,
        ".xlsx": workbook_text,
        ".html": page_text,
        ".svg": page_text,
    }
    read = readers.get(path.suffix.lower(), plain_text)
    return read(path)


def plain_text(path: Path) -> str:
    """Return a text, or the size of what is none."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(content)} bytes\n"


def page_text(path: Path) -> str:
    """Return a page, or a drawing, as text."""
    return page_lines(path.read_text(encoding="utf-8"))


def page_lines(text: str) -> str:
    """Return a page with a line per element, its embedded files decoded."""
    text = re.sub(r"base64,([A-Za-z0-9+/=]{16,})", embedded_text, text)
    return re.sub(r"> ?<", ">\n<", text)


def embedded_text(found: re.Match[str]) -> str:
    """Return a file in a page as text, or its size."""
    content = base64.b64decode(found[1])
    try:
        return f"\n{content.decode('utf-8-sig')}"
    except UnicodeDecodeError:
        return f"{len(content)} bytes"


def png_text(path: Path) -> str:
    """Return the size of a picture and a checksum of its bytes."""
    content = path.read_bytes()
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    return f"PNG {width} x {height}, checksum {zlib.crc32(content)}\n"


def database_text(path: Path) -> str:
    """Return the rows of a SQLite file in an order of their own, without blobs."""
    if not path.stat().st_size:
        return "empty\n"
    base = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        lines = sorted("\n".join(base.iterdump()).split(";\n"))
    finally:
        base.close()
    text = ";\n".join(lines) + "\n"
    return re.sub(r"X'([0-9A-F]*)'", lambda blob: f"<blob of {len(blob[1]) // 2} bytes>", text)


def workbook_text(path: Path) -> str:
    """Return the parts of a workbook."""
    with zipfile.ZipFile(path) as parts:
        names = sorted(parts.namelist())
        texts = [f"{name}\n{parts.read(name).decode('utf-8')}\n" for name in names]
    return "".join(texts).replace("><", ">\n<")


def netcdf_text(path: Path) -> str:
    """Return what is in a NetCDF file."""
    import xarray

    with xarray.open_dataset(path, engine="h5netcdf") as runs:
        return as_json(plain(runs.load()))


def as_json(value: Any) -> str:
    """Return a plain value as JSON, a line per entry."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def plain(value: Any, depth: int = 6) -> Any:
    """Return a value as what JSON has; long arrays become a summary, objects their public fields.

    Names of modules are left out: they may change.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return page_lines(value).splitlines()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one, depth - 1) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple | Iterator):
        return [plain(one, depth - 1) for one in value]
    return plain_object(value, depth)


def plain_object(value: Any, depth: int) -> Any:
    """Return an array, a data set, a frame, or any object's fields as what JSON has."""
    if hasattr(value, "data_vars"):
        named = {**value.coords, **value.data_vars}
        variables = {str(name): plain_array(one.values, one.dims) for name, one in named.items()}
        return {"variables": variables, "attributes": plain(attributes(value.attrs))}
    if hasattr(value, "dtype"):
        import numpy as np

        return plain_array(np.asarray(value)) if np.ndim(value) else plain(value.item())
    for method in ("to_dicts", "model_dump", "_asdict"):
        if hasattr(value, method):
            return plain(getattr(value, method)(), depth - 1)
    if dataclasses.is_dataclass(value) and depth > 0:
        names = [field.name for field in dataclasses.fields(value)]
        shown = {name: getattr(value, name) for name in names if not name.startswith("_")}
        return plain(shown, depth - 1)
    return re.sub(r" at 0x[0-9a-f]+|(\w+\.)+(?=\w)", "", repr(value))


def attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data set's attributes, those in JSON read."""
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    read = {name: json.loads(one) for name, one in texts.items() if one[:1] in ("{", "[")}
    return {**values, **read}


def plain_array(values: Any, dims: Iterable[Any] = ()) -> Any:
    """Return a short array as lists, a long one as numbers that tell most changes."""
    if values.size <= LONGEST_ARRAY or values.dtype.kind not in "iufb":
        return {"dims": list(map(str, dims)), "values": plain(values.tolist())}
    import numpy as np

    flat = values.astype(float).ravel()
    known = np.where(np.isfinite(flat), flat, 0.0)
    return {
        "dims": list(map(str, dims)),
        "shape": list(values.shape),
        "kind": values.dtype.kind,
        "finite": int(np.isfinite(flat).sum()),
        "mean": float(known.mean()),
        "deviation": float(known.std()),
        "lowest": float(known.min()),
        "highest": float(known.max()),
        "by_place": float(known @ np.linspace(0.0, 1.0, len(known))),
        "first": plain(flat[:10].tolist()),
        "last": plain(flat[-10:].tolist()),
    }
