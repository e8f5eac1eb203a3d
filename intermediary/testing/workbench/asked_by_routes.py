"""What the forms of a mapping ask that reads any form: those that the routes of its golden cases describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from intermediary.core.faults import Misconfigured
from intermediary.mapping.form import Form, FormGroup
from intermediary.mapping.forms import FORM, configured_form
from intermediary.testing.golden import Case
from intermediary.testing.workbench.asked import Asked, AskedForm


def asked_by_routes(cases: Sequence[Case]) -> AskedForm:
    """The fields of every form that a case configures, each form once, its title as the outermost group.

    A form that cannot be read is left out: a case shows that it is waited for.
    """
    forms = {form.name: form for case in cases if FORM in case.kontext.files for form in _read(case)}
    return AskedForm("", tuple(one for form in forms.values() for one in _fields(form)))


def _read(case: Case) -> Iterator[Form]:
    try:
        yield configured_form(case.kontext.files)
    except Misconfigured:
        return


def _fields(form: Form) -> Iterator[Asked]:
    yield from _below(form.root, f"/{form.name}", (form.title,), is_required=True)


def _below(group: FormGroup, path: str, groups: tuple[str, ...], *, is_required: bool) -> Iterator[Asked]:
    for one in group.members:
        place, is_always = f"{path}/{one.name}", is_required and one.least > 0
        if isinstance(one, FormGroup):
            yield from _below(one, place, (*groups, one.label), is_required=is_always)
        elif one.art != "label":
            yield Asked(place, one.label, groups, is_always, one.most is None or one.most > 1)
