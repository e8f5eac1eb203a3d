"""Targets of connectors that misbehave while the daemon delivers to them: how to set each up, disturb it and count."""

from __future__ import annotations

import json
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from intermediary.testing.demo_site import MANDANT
from intermediary.testing.rest_target import Effect, RestTarget, Trouble
from intermediary.testing.servers import free_ports
from intermediary.testing.simulate.fachverfahren.callbacks import Callbacks
from intermediary.testing.sshd import PrivateSshd

LIKELY = 0.35
"""The share of requests that meet a trouble."""

_TROUBLES = tuple(one for one in Trouble if one is not Trouble.REFUSED)
_HONEST = tuple(one for one in _TROUBLES if one is not Trouble.FOREIGN_ID_AFTER)
"""Without the lie that nobody can see through: a foreign id of the case is kept as a step, and only a person heals that."""


@dataclass
class Scene:
    """One target. `settings` is the TOML of `connector` and its settings; `disturb` strikes once from outside.
    `installation` is what it needs in the settings of the installation.

    `arrived` counts the effects of each Nachricht by its id; one that is complete counts as one.
    """

    settings: str
    disturb: Callable[[random.Random], None]
    arrived: Callable[[], Counter[str]]
    is_certain: bool = True
    troubles: Counter[str] = field(default_factory=Counter)
    installation: str = ""


@contextmanager
def sftp(folder: Path, dice: random.Random) -> Iterator[Scene]:
    """An OpenSSH server whose sessions are killed, that is away for a moment, and a consumer that takes files at once."""
    seen: Counter[str] = Counter()
    troubles: Counter[str] = Counter()
    over = threading.Event()
    with PrivateSshd() as server:
        drop, staging = server.root / "drop", server.root / "staging"
        drop.mkdir()
        staging.mkdir()

        def consume() -> None:
            while not over.wait(0.005):
                for name in os.listdir(drop):
                    (drop / name).unlink()
                    seen[name.partition("_")[0]] += 1

        def disturb(dice: random.Random) -> None:
            if dice.random() > 0.06:  # most sessions live to their end
                return
            if dice.random() < 0.15:
                troubles["server killed"] += 1
                server.kill()
                over.wait(dice.uniform(0, 0.5))
                server.start()
            else:
                troubles["sessions killed"] += server.kill_sessions()

        settings = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": server.user,
            "drop": str(drop),
            "staging": str(staging),
            "host_key": [server.host_key],
            "key_file": str(server.client_key),
            "idle_seconds": 20,
        }
        thread = threading.Thread(target=consume, daemon=True)
        thread.start()
        try:
            yield Scene(_toml("sftp", settings), disturb, lambda: Counter(seen), troubles=troubles)
        finally:
            over.set()
            thread.join()


@contextmanager
def rest(
    folder: Path,
    dice: random.Random,
    *,
    idempotency: str,
    in_steps: bool = False,
    committed: Callable[[Effect], None] = lambda _: None,
) -> Iterator[Scene]:
    """A Fachverfahren with an HTTP interface that fails a third of all requests, each way it knows."""
    troubles: Counter[str] = Counter()
    key_of_case: dict[str, str] = {}

    def mood() -> Trouble | None:
        trouble = dice.choice(_HONEST if in_steps else _TROUBLES) if dice.random() < LIKELY else None
        if trouble is not None:
            troubles[trouble.value] += 1
        return trouble

    # It asks for no rest: who has one ended by a chore of the daemon would wait for hours without a daemon.
    with RestTarget(removes_doubles=idempotency == "native", mood=mood, retry_after="0") as target:

        def arrived() -> Counter[str]:
            if in_steps:
                return _cases(target.effects, key_of_case)
            return Counter(one.name.partition("_")[0] for one in list(target.effects))

        def note(effect: Effect) -> None:
            if effect.kind == "document" and effect.name:
                key_of_case[effect.key.partition(".")[0]] = effect.name.partition("_")[0]
            committed(effect)

        target.committed = note
        settings = {
            "url": target.url,
            "idempotency": idempotency,
            "http": {"idle_seconds": 2, "total_seconds": 3, "max_answer_bytes": 100_000},
            "request": _STEPS if in_steps else _SIMPLE,
        }
        if idempotency == "lookup":
            settings["lookup"] = {"path": "zustellungen/{key}", "take": {"id": "id"}}
        yield Scene(
            _toml("rest", settings),
            lambda _: None,
            arrived,
            is_certain=idempotency != "none",
            troubles=troubles,
        )


@contextmanager
def rest_callback(folder: Path, dice: random.Random) -> Iterator[Scene]:
    """As `rest`, native; the verdict of what is committed there is told by a callback and cannot be asked for."""
    (port,) = free_ports(1)
    token = folder / "callback.token"
    token.touch(0o600)
    token.write_text("t0k3n", encoding="utf-8")
    callbacks = Callbacks("t0k3n", rest_seconds=0.5)

    def owe(effect: Effect) -> None:
        path = f"/callbacks/{MANDANT}/bewohnerparken/fachverfahren/{effect.key}"
        callbacks.owe(f"http://127.0.0.1:{port}{path}", effect.key)

    callbacks.start()
    try:
        with rest(folder, dice, idempotency="native", committed=owe) as scene:
            known = {"state": "state", "accepted": ["angenommen"], "statuses": [200, 201]}
            scene.settings += f"verdict = {_value({**known, 'callback': {'token_file': str(token)}})}\n"
            scene.installation = f'\n[callbacks]\nlisten = "127.0.0.1:{port}"\n'
            yield scene
    finally:
        callbacks.close()


_SIMPLE = [{"path": "zustellungen", "take": {"id": "id", "sha256": "sha256"}}]
_STEPS = [
    {"name": "case", "path": "cases", "contents": "none", "take": {"case": "id"}},
    {"name": "document", "path": "cases/{case}/documents", "per": "file", "take": {"sha256": "sha256"}},
    {"name": "close", "path": "cases/{case}/close", "body": "none", "take": {"case_state": "state"}},
]


def _cases(effects: list[Effect], key_of_case: dict[str, str]) -> Counter[str]:
    """A Nachricht is one effect when its case was made once, each of its documents once, and the case closed once."""
    found: Counter[str] = Counter()
    by_key: dict[str, Counter[tuple[str, str]]] = {}
    for effect in list(effects):
        by_key.setdefault(effect.key.partition(".")[0], Counter())[(effect.kind, effect.key)] += 1
    for key, counts in by_key.items():
        kinds = {kind for kind, _ in counts}
        if kinds == {"case", "document", "closed"}:
            found[key_of_case.get(key, key)] += max(counts.values())
    return found


SCENES = {
    "sftp": sftp,
    "rest-native": lambda folder, dice: rest(folder, dice, idempotency="native"),
    "rest-lookup": lambda folder, dice: rest(folder, dice, idempotency="lookup"),
    "rest-none": lambda folder, dice: rest(folder, dice, idempotency="none"),
    "rest-steps": lambda folder, dice: rest(folder, dice, idempotency="native", in_steps=True),
}


def _toml(connector: str, settings: dict[str, object]) -> str:
    """A target of a route; TOML's inline values are near enough to JSON's for these."""
    lines = "".join(f"{name} = {_value(value)}\n" for name, value in settings.items())
    return f'[[route.target]]\nname = "fachverfahren"\nconnector = "{connector}"\n[route.target.settings]\n{lines}'


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value)
