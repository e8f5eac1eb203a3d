"""What the store knows besides the way of a Nachricht, each in a class of its own."""

from __future__ import annotations

from intermediary.store.approvals import Approvals
from intermediary.store.backup import Backups
from intermediary.store.database import Database
from intermediary.store.jobs import Jobs
from intermediary.store.post_box import PostBoxes
from intermediary.store.retention import Retention
from intermediary.store.steps import DoneSteps
from intermediary.store.targets import Targets
from intermediary.store.watch import Watch, watch


class Rooms:
    """The part of `Store` that leads to its other classes; each but `targets` is made anew and keeps nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.targets = Targets(db)

    @property
    def approvals(self) -> Approvals:
        """Requests that wait for a second person."""
        return Approvals(self._db)

    @property
    def backups(self) -> Backups:
        """The rows of one moment, for a backup."""
        return Backups(self._db)

    @property
    def jobs(self) -> Jobs:
        """Orders over many Nachrichten."""
        return Jobs(self._db)

    @property
    def post_boxes(self) -> PostBoxes:
        """What lies there for readers who fetch it."""
        return PostBoxes(self._db)

    @property
    def retention(self) -> Retention:
        """Terms of payloads and hashed ids, holds, the end of a Mandant."""
        return Retention(self._db)

    @property
    def steps(self) -> DoneSteps:
        """What targets have done already of Zustellungen under way."""
        return DoneSteps(self._db)

    @property
    def watch(self) -> Watch:
        """Cheap measures, incidents and alerts."""
        return watch(self._db)
