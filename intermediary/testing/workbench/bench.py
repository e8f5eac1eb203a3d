"""Everything that is asked about one mapping: its golden cases run, its form, its shape, and what they show together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from intermediary.core.ports import ANY_ROOT
from intermediary.mapping.structure import Shape, load
from intermediary.operations.mapping_places import Place
from intermediary.testing.golden import cases_in
from intermediary.testing.workbench.asked import AskedForm, asked_form
from intermediary.testing.workbench.asked_by_routes import asked_by_routes
from intermediary.testing.workbench.coverage import Coverage, coverage
from intermediary.testing.workbench.trial import Trial, trial
from intermediary.validate.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Bench:
    """A mapping on the bench. `form` has no fields when its schema is not at hand, `shape` is None without one."""

    place: Place
    trials: tuple[Trial, ...] = field(repr=False)
    form: AskedForm = field(repr=False)
    shape: Shape | None = field(repr=False)
    coverage: Coverage = field(repr=False)

    @property
    def failed(self) -> int:
        """How many cases are not as expected."""
        return sum(bool(one.problems) for one in self.trials)


def bench(place: Place, schemas: Path | None, *, is_update: bool = False) -> Bench:
    """Run all golden cases of a mapping. `schemas` is a folder with the official packages, or None.

    Raises `GoldenError` when a case.toml is broken and `Misconfigured` when a schema package is.
    """
    own = [place.folder / "schema"] if (place.folder / "schema").is_dir() else []
    inputs = Catalogue.open(None, own=own) if own else None
    official = Catalogue.open(schemas, own) if schemas is not None else None
    cases = cases_in(place.folder / "golden")
    trials = tuple(trial(place, case, inputs, official, is_update=is_update) for case in cases)
    root = place.mapping.input_root
    form = asked_form(place.folder, root, schemas) if root != ANY_ROOT else asked_by_routes(cases)
    shape = load(place.folder / "shape.toml") if (place.folder / "shape.toml").is_file() else None
    outputs = [
        (one.case.antrag.tree, one.outcome.ausgabe)
        for one in trials
        if one.outcome is not None and one.outcome.ausgabe is not None
    ]
    wanted = {path for one in trials for path in one.notes.asked}
    return Bench(place, trials, form, shape, coverage(outputs, form.fields, wanted, shape))
