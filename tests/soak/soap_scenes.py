"""Targets of the connector `soap`: PHP's ext-soap that fails a third of all calls, behind a line that is cut."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.acceptance.soap_office import WSDL, SoapOffice
from tests.chaos.proxy import Proxy
from tests.soak.connector_scenes import Scene
from tests.soak.connector_scenes import _toml as toml

_TROUBLES = ("lost", "fault-after", "fault:Server:E1")


@contextmanager
def soap(folder: Path, dice: random.Random, *, idempotency: str) -> Iterator[Scene]:
    """The office forgets its keys unless it promises to know them: a call that should not have been is an effect."""
    troubles: Counter[str] = Counter()
    pause = threading.Event()
    with SoapOffice(folder / "office", forgets=idempotency != "native") as office:
        proxy = Proxy(office.port)
        moods = [dice.choice(_TROUBLES) if dice.random() < 0.3 else "well" for _ in range(5000)]
        office.moods(*moods)
        url = office.url.replace(str(office.port), str(proxy.port))

        def disturb(dice: random.Random) -> None:
            if dice.random() > 0.25:
                return
            mode = dice.choice(("reset", "one-way", "refuse", "delay", "", ""))
            troubles[mode or "none"] += 1
            proxy.set_mode(mode)
            pause.wait(dice.uniform(0, 0.2))
            proxy.set_mode("")

        def arrived() -> Counter[str]:
            return Counter(str(one["paketname"]).partition("_")[0] for one in office.journal)

        settings: dict[str, object] = {
            "url": url,
            "wsdl": str(WSDL),
            "operation": "einreichen",
            "port": "Soap12",
            "arguments": {
                '"vorgang.schluessel"': "key",
                '"vorgang.mandant"': "mandant",
                '"paket._value_1"': "package.mtom",
                '"paket.name"': "package.name",
            },
            "reply": {"state": "status", "delivered": ["ANGENOMMEN"]},
            "http": {"idle_seconds": 5, "total_seconds": 8},
            "target_deduplicates": idempotency == "native",
        }
        if idempotency == "lookup":
            reply = {"state": "status", "delivered": ["ANGENOMMEN"], "unknown": ["UNBEKANNT"]}
            settings["lookup"] = {"operation": "abfragen", "arguments": {"schluessel": "key"}, "reply": reply}
        try:
            yield Scene(toml("soap", settings), disturb, arrived, is_certain=idempotency != "none", troubles=troubles)
        finally:
            troubles.update(mood for mood in moods[: 5000 - len(office.left_moods)] if mood != "well")
            proxy.close()


SCENES = {f"soap-{idempotency}": partial(soap, idempotency=idempotency) for idempotency in ("native", "lookup", "none")}
