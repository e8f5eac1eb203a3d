"""The five classes of failure, told apart by one question: who can heal it?

`Transient` heals by time, `Rejected` by the sender, `Misconfigured` by the operator, `Unclear` by a look at the other
side, and anything that is not a `Fault` by a developer. What happens after each is decided in `core/decide.py`.

A fault carries a *code* from `core/codes` and nothing of the content: no names, no values, no keys. Library errors are
translated where they occur and chained with `from`.
"""

from __future__ import annotations

from datetime import timedelta

from intermediary.core.codes import CATALOGUE
from intermediary.core.values import Befund


class Fault(Exception):
    """A failure with a documented code.

    `code` must stand in the catalogue. `where` names a place an operator knows (route, target, file of the
    configuration, element path), never content. `findings` are all Befunde that led here.
    """

    def __init__(self, code: str, *, where: str = "", findings: tuple[Befund, ...] = ()) -> None:
        if code not in CATALOGUE:
            raise LookupError(f"fault code not in the catalogue: {code}")
        super().__init__(f"{code} ({where})" if where else code)
        self.code = code
        self.where = where
        self.findings = findings


class Transient(Fault):
    """Nothing is wrong with the Nachricht; time heals it. Tried again until the deadline.

    `retry_after` is the least waiting time the other side asked for.
    """

    def __init__(self, code: str, *, where: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(code, where=where)
        self.retry_after = retry_after


class Rejected(Fault):
    """The sender has to change something: negative Quittung, final."""


class Misconfigured(Fault):
    """The operator has to change something: waits without using up attempts, re-tried when configuration changes."""


class Unclear(Fault):
    """It may or may not have arrived: looked up if the connector can, otherwise a person decides."""
