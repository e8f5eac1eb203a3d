"""The checker without any daemon: a clean campaign passes, and each broken promise has its finding."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.checker import Evidence, check, kinds


def _event(chain: str, name: str, **values: Any) -> dict[str, Any]:
    return {"number": 1, "digest": "", "event": {"chain": chain, "name": name, "fields": values}}


def _effect(own: str, *, what: str = "effect", key: str = "", sha256: str = "aa") -> dict[str, Any]:
    return {"what": what, "nachricht": own, "target": "native", "key": key or f"k-{own}", "sha256": sha256}


def _state(own: str, message: str, *, state: str = "completed", code: str = "", target: str = "delivered") -> Any:
    zustellungen = [{"target": "native", "key": f"k-{own}", "state": target}]
    return {"id": own, "messageId": message, "state": state, "code": code, "zustellungen": zustellungen}


def _clean() -> dict[str, Any]:
    return {
        "given": [{"id": "m1", "vorgang": "V"}, {"id": "m2", "vorgang": "V"}],
        "taken": frozenset({"m1", "m2"}),
        "sink": [_effect("n1", what="arrival"), _effect("n1"), _effect("n2")],
        "states": [_state("n1", "m1"), _state("n2", "m2")],
        "events": [
            _event("n1", "intake.taken"),
            _event("n2", "intake.taken"),
            _event("n1", "delivery.delivered", target="native"),
            _event("n2", "delivery.delivered", target="native"),
        ],
        "quittungen": [("m1", "accepted"), ("m2", "accepted"), ("m2", "accepted")],
    }


_BROKEN: dict[str, dict[str, Any]] = {
    "lost": {"states": [_state("n1", "m1")]},
    "phantom": {"given": [{"id": "m1"}]},
    "twice-taken": {"states": [_state("n1", "m1"), _state("n2", "m2"), _state("n3", "m2")]},
    "doubled": {"sink": [_effect("n1"), _effect("n1"), _effect("n2")]},
    "key-changed": {"sink": [_effect("n1"), _effect("n1", what="arrival", key="other"), _effect("n2")]},
    "bytes-changed": {"sink": [_effect("n1"), _effect("n1", what="arrival", sha256="bb"), _effect("n2")]},
    "not-arrived": {"sink": [_effect("n1")]},
    "order-broken": {"sink": [_effect("n2"), _effect("n1")]},
    "parked": {"states": [_state("n1", "m1"), _state("n2", "m2", state="parked", code="poison.crash")]},
    "refused": {"states": [_state("n1", "m1"), _state("n2", "m2", state="rejected", code="policy.key-length")]},
    "stuck": {"states": [_state("n1", "m1"), _state("n2", "m2", state="planned", target="due")]},
    "not-settled": {"is_settled": False},
    "audit-gap": {"events": [_event("n1", "intake.taken"), _event("n2", "intake.taken")]},
    "audit-broken": {"verify": "row-differs"},
    "unanswered": {"quittungen": [("m1", "accepted")]},
    "answered-early": {"states": [_state("n1", "m1"), _state("n2", "m2", state="planned", target="due")]},
    "phantom-effect": {"sink": [_effect("n1"), _effect("n2"), _effect("n3")]},
    "corrupt-unnoticed": {"corrupted": frozenset({"n1"})},
    "daemon-ended": {"ended": (1,)},
    "not-stopped": {"stop_status": -9},
}


def test_a_clean_campaign_has_no_findings() -> None:
    """Repeated Quittungen and arrivals are no fault."""
    assert [] == check(Evidence(**_clean()))


@pytest.mark.parametrize("kind", _BROKEN)
def test_each_broken_promise_is_named(kind: str) -> None:
    """One thing is changed in a clean campaign, and the finding says which."""
    evidence = Evidence(**{**_clean(), **_BROKEN[kind]})

    assert kind in kinds(check(evidence))


def test_an_ambiguous_attempt_without_idempotency_is_excused() -> None:
    """It waits for a person by promise G4, at a target of kind none and nowhere else."""
    waiting = _state("n2", "m2", state="planned", code="delivery.unclear", target="parked")
    waiting["zustellungen"][0]["target"] = "none"
    clean = _clean()
    clean |= {"states": [_state("n1", "m1"), waiting], "quittungen": [("m1", "accepted")], "sink": [_effect("n1")]}
    clean["events"] = clean["events"][:3]

    assert [] == check(Evidence(**clean))
