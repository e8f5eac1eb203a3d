"""The dry run of a Nachricht: what today's configuration makes of it, beside what was committed; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from intermediary.core.faults import Fault, Misconfigured, Rejected
from intermediary.mapping.run import InvalidOutput
from intermediary.pipeline import Werkbank, judge
from intermediary.store.records import NachrichtRecord
from intermediary.store.store import Store
from intermediary.worker import sendung_of


@dataclass(frozen=True, slots=True)
class Fresh:
    """A fresh judgement: `outcome` is accepted, rejected, waits or defect, with its code and number of findings.

    `output` compares what would be handed over with the committed hash: `same`, `changed`, or empty when there is
    nothing to compare.
    """

    outcome: str
    code: str = ""
    findings: int = 0
    output: str = ""

    def text(self) -> str:
        """In German, for a line of the dry run."""
        words = {"accepted": "würde angenommen", "rejected": "würde abgelehnt", "waits": "würde warten"}
        detail = f" ({self.code})" if self.code else ""
        compared = {"same": ", Ausgabe unverändert", "changed": ", Ausgabe GEÄNDERT", "": ""}[self.output]
        return f"heute: {words.get(self.outcome, 'Fehler im Programm')}{detail}{compared}"


def rejudge(store: Store, bank: Werkbank, nachricht: NachrichtRecord, *, actor: str, now: datetime) -> Fresh:
    """Judge one Nachricht again without committing the result; that it was read is audited."""
    fresh = _judge(store, bank, nachricht)
    fields = {"reason": "replay --dry-run", "result": f"{fresh.outcome} {fresh.code} {fresh.output}".strip()}
    store.record(nachricht.id, "person.dry-run", now=now, actor=actor, fields=fields)
    return fresh


def _judge(store: Store, bank: Werkbank, nachricht: NachrichtRecord) -> Fresh:
    try:
        judgement = judge(sendung_of(nachricht, store.body(nachricht.id)), bank)
    except Rejected as fault:
        return Fresh("rejected", fault.code, len(fault.findings))
    except Misconfigured as fault:
        return Fresh("waits", fault.code, len(fault.findings))
    except InvalidOutput as defect:
        return Fresh("defect", defect.code, len(defect.findings))
    except Fault as fault:
        return Fresh("waits", fault.code)
    except Exception:  # the defect of a plug-in: the other messages of the selection are judged all the same
        return Fresh("defect", "bug.unexpected")
    stored = nachricht.plan.get("output", {}).get("package_sha256", "")
    made = judgement.ausgabe.package.content.sha256
    return Fresh("accepted", output="" if not stored else "same" if stored == made else "changed")
