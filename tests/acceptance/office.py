"""An installation in which something has happened, for commands to look at and to change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from intermediary.audit.second_place import write_head
from intermediary.testing.demo_site import SERVICE_WITHOUT_ROUTE
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Installation, open_installation
from tests.acceptance.command import Said, call
from tests.acceptance.rig import Rig


class Office:
    """An installation in which something has happened; `ids` tells what by name. Commands get its `config`."""

    def __init__(self, folder: Path, ids: dict[str, str]) -> None:
        self.folder = folder
        self.ids = ids

    @property
    def config(self) -> Path:
        return self.folder / "intermediary.toml"

    def call(self, *arguments: str | Path) -> Said:
        return call(*arguments, "-c", self.config)

    @contextmanager
    def opened(self) -> Iterator[Installation]:
        """The installation itself, beside the commands."""
        installation = open_installation(self.config)
        try:
            yield installation
        finally:
            installation.store.close()

    def state(self, name: str) -> str:
        (row,) = self.call("list", self.ids[name], "--json").rows
        return row["state"]


def furnish(folder: Path, pki: Pki) -> Office:
    rig = Rig(folder, pki)
    now = rig.clock
    ids = {}
    ids["overdue"] = rig.submit(sample_letter(1, now=now(), service=SERVICE_WITHOUT_ROUTE), "portal/overdue")
    ids["stuck"] = rig.submit(sample_letter(2, now=now()), "portal/stuck")
    rig.site.occupy(ids["stuck"])
    rig.work()
    now.advance(timedelta(hours=72))
    rig.work()
    ids["done"] = rig.submit(sample_letter(3, now=now()), "portal/done")
    ids["broken"] = rig.submit(sample_letter(4, now=now(), is_broken=True), "portal/broken")
    ids["waiting"] = rig.submit(sample_letter(5, now=now(), service=SERVICE_WITHOUT_ROUTE), "portal/waiting")
    ids["full"] = rig.submit(sample_letter(6, now=now()), "portal/full")
    rig.site.occupy(ids["full"])
    ids["conflict"] = rig.submit(sample_letter(7, now=now()), "portal/done")
    rig.work()
    head = rig.store.seal_heads(rig.installation.signing.sign, now=now())
    write_head(rig.installation.settings.audit.heads_folder, head)
    rig.close()
    return Office(folder, ids)
