"""Asks the target for the answer to one package, where nothing brings it by itself: `rest` by a GET, `soap` by a call.

The question names the key, so that the answer belongs to this Zustellung and to no other one of the same ProzessID.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from connectors.eakte_xdomea.settings import EakteSettings
from connectors.rest.settings import RestSettings
from connectors.rest.template import Template
from connectors.soap.settings import Asked, SoapSettings

_NOT_YET = (202, 204, 404)
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Question(Protocol):
    """`answer` is what the target has for a key now, a 0403 or 0402, empty while there is none; it may repeat itself.

    `Transient` when it cannot be asked now. `probe` asks for a key that nobody has.
    """

    def answer(self, key: str, correlation: Mapping[str, str], now: datetime) -> bytes: ...

    def probe(self) -> None: ...


def question_of(settings: EakteSettings) -> Question | None:
    """How the target is asked; None where answers come by themselves."""
    if settings.rest is not None and settings.answers.path:
        return Get(settings.rest, settings.answers.path)
    if settings.soap is not None and settings.answers.call is not None:
        return Call(settings.soap, settings.answers.call)
    return None


class Get:
    """The body of a GET is the answer, XML or ZIP; 202, 204 and 404 say that there is none yet."""

    def __init__(self, settings: RestSettings, path: Template) -> None:
        from connectors.rest.exchange import Exchange

        self._exchange = Exchange(settings)
        self._path = path

    def answer(self, key: str, correlation: Mapping[str, str], now: datetime) -> bytes:
        found = self._exchange.ask(self._path, {**correlation, "key": key}, now, accept="*/*")
        if found.status in _NOT_YET:
            return b""
        if not found.is_success:
            raise found.ask_fault(where="answers.path")
        return found.body

    def probe(self) -> None:
        if self._path.names == {"key"}:
            self.answer(_NOBODY, {}, datetime.now(UTC))


class Call:
    """The document in an element of an operation's answer."""

    def __init__(self, settings: SoapSettings, asked: Asked) -> None:
        from connectors.soap.connector import Soap

        self._soap = Soap(settings, further=(asked.operation,))
        self._asked = asked

    def answer(self, key: str, correlation: Mapping[str, str], now: datetime) -> bytes:
        return self._soap.fetch(self._asked, key, now)

    def probe(self) -> None:
        self.answer(_NOBODY, {}, datetime.now(UTC))
