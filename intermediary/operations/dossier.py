"""The dossier: one file that proves one Nachricht without the store and without content (docs/reference/dossier.md)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from intermediary.audit.chain import Entry, canonical, moment
from intermediary.audit.merkle import inclusion_proof_after
from intermediary.audit.standalone import DOMAIN, FORMAT, VERSION, plan_sha256, summary
from intermediary.audit.verify import fingerprint
from intermediary.operations.rotate import public_keys
from intermediary.store.records import Sealing
from intermediary.wiring import Installation, installation_id


def dossier(installation: Installation, nachricht_id: str, now: datetime) -> dict[str, Any]:
    """Everything that proves the Nachricht of this id, as a JSON object signed by the installation; `NotFound`.

    What is not sealed yet stands in it without a proof; whoever wants it whole waits for the next head.
    """
    evidence = installation.store.evidence(nachricht_id)
    events = [json.loads(entry.event.canonical()) for entry in evidence.entries]
    plan, loose = _bound(evidence.nachricht.plan, events)
    made: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "installation": str(installation_id(installation.settings.installation.name)),
        "nachricht": nachricht_id,
        "madeAt": moment(now),
        "events": [_entry(entry, evidence.sealings) for entry in evidence.entries],
        "heads": [json.loads(sealing.head.line()) for sealing in evidence.sealings],
        "keys": [{"sha256": fingerprint(pem), "pem": pem.decode()} for pem in public_keys(installation)],
        "plan": plan,
        "stages": summary(events, plan),
        "looseFindings": loose,
    }
    signature = installation.signing.sign(DOMAIN + canonical(made))
    return {**made, "signature": base64.b64encode(signature).decode()}


def _entry(entry: Entry, sealings: Sequence[Sealing]) -> dict[str, Any]:
    shown = {"number": None, "digest": entry.digest, "event": json.loads(entry.event.canonical())}
    sealing = next((one for one in sealings if entry.number is not None and entry.number <= one.head.size), None)
    if entry.number is None or sealing is None:
        return shown
    proof = inclusion_proof_after(sealing.before, sealing.digests, entry.number - sealing.before.size - 1)
    return {**shown, "number": entry.number, "size": sealing.head.size, "proof": [step.hex() for step in proof]}


def _bound(plan: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
    """The plan as the last judgement's event fixed it by hash, and findings that came later or belong to no judgement."""
    told = plan_sha256(events)
    findings = list(plan.get("findings", []))
    bare = {name: value for name, value in plan.items() if name != "findings"}
    if not told:
        return {}, findings
    for one, loose in ((dict(plan), []), ({**bare, "findings": []}, findings), (bare, findings)):
        if hashlib.sha256(canonical(one)).hexdigest() == told:
            return one, loose
    return dict(plan), []
