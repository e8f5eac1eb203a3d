"""What a caller of the store can be told besides a Fault: held by another, not there, not possible."""

from __future__ import annotations


class StoreError(Exception):
    """Common ground of what the store refuses; the text names ids and states, never content."""


class LeaseLost(StoreError):
    """The claim is not held any more (expired and taken over, or ended): drop the work, nothing was written."""


class Busy(StoreError):
    """Somebody holds the lease of this Nachricht; a person tries again when the lease has ended."""


class NotFound(StoreError):
    """There is no such Nachricht."""


class Ambiguous(StoreError):
    """The prefix names more than one Nachricht."""


class NotPossible(StoreError):
    """What a person asked for does not fit the state; the text says why."""


class JobOpen(StoreError):
    """The same job is open already, or was ordered only just now; the text is its id."""


class JobNotFound(StoreError):
    """No job, or several, have an id that begins so."""


class JobLost(StoreError):
    """Somebody else carries out this job now: nothing was written."""


class NothingChosen(StoreError):
    """A selection that no Nachricht meets makes no job."""
