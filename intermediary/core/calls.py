"""Whether an object of a third party can be called as its port says, found out before anything is handed to it."""

from __future__ import annotations

import inspect


def takes(plugin: object, method: str, arguments: int) -> bool:
    """Whether `plugin` has a method of that name that takes so many positional arguments."""
    function = getattr(plugin, method, None)
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*range(arguments))
    except (TypeError, ValueError):
        return False
    return True
