"""What is durable: states, claims, wrapped bytes, audit events; the only room that speaks SQL."""

from intermediary.store.errors import Ambiguous, Busy, LeaseLost, NotFound, NotPossible, StoreError
from intermediary.store.open import open_store
from intermediary.store.records import (
    Claim,
    Headers,
    NachrichtRecord,
    PlannedTarget,
    StateLine,
    Taken,
    ZustellungRecord,
)
from intermediary.store.store import Store

__all__ = [
    "Ambiguous",
    "Busy",
    "Claim",
    "Headers",
    "LeaseLost",
    "NachrichtRecord",
    "NotFound",
    "NotPossible",
    "PlannedTarget",
    "StateLine",
    "Store",
    "StoreError",
    "Taken",
    "ZustellungRecord",
    "open_store",
]
