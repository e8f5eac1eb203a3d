"""Loosening what needs a second person: takes one itself, because the configuration alone does not decide it."""

from __future__ import annotations

from intermediary.operations.approvals import Approvals, Wish
from intermediary.operations.person import Request
from intermediary.settings.approvals import LOOSEN
from intermediary.store.demands import Demands


def loosen(approvals: Approvals, request: Request) -> Demands:
    """Forget what the configuration demands no more; what that was, empty when there was nothing to forget.

    Raises like `Approvals.demand`: it always needs a second person.
    """
    gone = approvals.surplus()
    if not gone:
        return gone
    lines = (
        *(f"{verb} braucht keine zweite Person mehr" for verb in sorted(gone.required)),
        *(f"{' und '.join(group)} zählen als verschiedene Personen" for group in sorted(gone.same_person)),
    )
    consent = approvals.demand(Wish(LOOSEN, gone.told(), count=len(lines), lines=lines), request)
    approvals.forget(gone, consent, request)
    return gone
