"""Audit one data set: duplicates, how much of it is synthetic, leaked evaluation items."""

import sys
from types import ModuleType
from typing import Any


class _CallableRoom(ModuleType):
    """A room with the name of its verb: `hayflick.audit` can be called."""

    def __call__(self, *args: Any, **how: Any) -> Any:
        """Audit a data set, see `hayflick.audit.audit.audit`."""
        from hayflick.audit.audit import audit

        return audit(*args, **how)


sys.modules[__name__].__class__ = _CallableRoom
