"""Compiled functions, cached on disk wherever there is a place that is safe to load code from."""

from __future__ import annotations

import os
import stat
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])

_private: list[Path | None] = []


def njit(*, cache: bool, **options: Any) -> Callable[[_Function], _Function]:
    """Return numba's decorator, with a cache that also works without a home directory.

    numba keeps compiled code beside the module, else in the user's cache directory. Where
    neither can be written to, a private folder below the temporary one is used, or nothing is
    kept and code is compiled on every start; a warning says which, once.

    Parameters
    ----------
    cache
        Whether compiled code is kept.
    options
        Further options of ``numba.njit``.

    Examples
    --------
    >>> @njit(cache=False)
    ... def double(value):
    ...     return 2 * value
    >>> double(21)
    42
    """

    def compiled(function: _Function) -> _Function:
        try:
            made: _Function = numba.njit(cache=cache, **options)(function)
            return _kept_if_possible(made)
        except RuntimeError:
            # numba has found no place for the cache.
            if not cache:
                raise
        if not _private:
            _private.append(_private_folder())
            _warn(_private[0])
        if _private[0] is None:
            return numba.njit(**options)(function)  # type: ignore[no-any-return]
        numba.config.CACHE_DIR = str(_private[0])  # type: ignore[attr-defined]
        kept: _Function = numba.njit(cache=True, **options)(function)
        return _kept_if_possible(kept)

    return compiled


def _kept_if_possible(dispatcher: _Function) -> _Function:
    """Let a compiled function work that cannot be kept, because the disk is full, say."""
    # With NUMBA_DISABLE_JIT=1, functions stay as they are.
    cache: Any = getattr(dispatcher, "_cache", None)
    if cache is None:
        return dispatcher
    save = cache.save_overload

    def save_if_possible(signature: Any, compiled: Any) -> None:
        with suppress(OSError):
            save(signature, compiled)

    cache.save_overload = save_if_possible
    return dispatcher


def _private_folder() -> Path | None:
    """Return a folder that no other user can have put code into; None if there is none."""
    if not hasattr(os, "getuid"):
        return None
    try:
        parent = Path(tempfile.gettempdir()).resolve()
        folder = parent / f"hayflick-{os.getuid()}"
        if not _is_safe(parent):
            return None
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        if not own or found.st_mode & 0o077:
            return None
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return None
    return folder


def _is_safe(folder: Path) -> bool:
    """Return whether no other user (but root) can replace what we put into a folder."""
    for parent in (folder, *folder.parents):
        found = parent.stat()
        shared = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        if shared or found.st_uid not in (0, os.getuid()):
            return False
    return True


def _warn(folder: Path | None) -> None:
    kept = "is compiled anew on every start" if folder is None else f"is kept in {folder}"
    remedy = "set NUMBA_CACHE_DIR to a folder of yours to choose the place"
    message = f"there is no home directory to keep compiled code in: it {kept}; {remedy}"
    warnings.warn(message, RuntimeWarning, stacklevel=4)
