"""The room of unseal: opens sealed submissions, verifies what they carry, and says what was found."""

from intermediary.unseal.formats import unseal
from intermediary.unseal.policy import PROFILES, Policy, profile
from intermediary.unseal.refusal import NotOpened

__all__ = ["PROFILES", "NotOpened", "Policy", "profile", "unseal"]
