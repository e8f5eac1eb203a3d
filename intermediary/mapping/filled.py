"""A form with what was entered: every entry of an application in its place of the form, under the names of the form.

The order is the order of the form, whatever order the sender wrote in. Whatever the form does not describe is kept apart
with its path, so that nothing is lost: each leaf of the payload is shown exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from intermediary.mapping.accessor import boolean, date
from intermediary.mapping.entries import Entry
from intermediary.mapping.form import Form, FormField, FormGroup, Identity, Member, identity_of
from intermediary.mapping.german import write_amount, write_bytes, write_date, write_decimal, write_time_of_day

_BLANKS = " \t\r\n"
_LONG_CONTENT = 4_000
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n ")


@dataclass(frozen=True, slots=True)
class Value:
    """A value as people read it, what has to be said about it, and the place in the payload it came from."""

    text: str = field(repr=False)
    note: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the form with the values that were entered."""

    label: str
    values: tuple[Value, ...] = field(repr=False)
    help: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Remark:
    """A fixed text of the form: what the applicant was told at this place."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Section:
    """One group, once; `parts` in the order of the form. `which` tells repetitions apart: `2 von 3`."""

    title: str
    parts: tuple[Row | Remark | Section, ...] = field(repr=False)
    help: str = field(default="", repr=False)
    which: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """The whole application. `unknown` are the leaves that the form does not describe, labelled by their path."""

    title: str
    sections: tuple[Section, ...] = field(repr=False)
    unknown: tuple[Row, ...] = field(repr=False)
    shown: frozenset[str] = field(repr=False)

    def helps(self) -> tuple[tuple[str, str], ...]:
        """Label and help text of every group and field that is shown and has one; each pair once, in order."""
        return tuple(dict.fromkeys(_helps(self.sections)))


def fill(form: Form, payload: Entry, *, loose: str) -> Filled:
    """Put a payload into its form; `loose` is the title of sections for fields that stand in no group."""
    filling = _Filling(form)
    parts = filling.members(form.root, payload.entries)
    if not payload.entries and payload.text.strip(_BLANKS):
        filling.unknown.append(payload)
    labels = {one.identity.id: one.label for one in reversed(list(form.members()))}
    unknown = tuple(_unknown(leaf, labels) for entry in filling.unknown for leaf in entry.leaves())
    shown = filling.shown | {value.path for row in unknown for value in row.values}
    return Filled(form.title, tuple(_sections(parts, loose)), unknown, frozenset(shown))


def show(one: FormField, entry: Entry) -> Value:
    """One value of a field as people read it: codes by their meaning, dates and truth values in German."""
    code = entry.text.strip(_BLANKS)
    if one.kind == "file":
        return _file(entry)
    if not code:
        return Value("", "ohne Angabe", entry.path)
    if code in one.values:
        return Value(one.values[code], "" if one.values[code] == code else f"Schlüssel {code}", entry.path)
    if one.values:
        return Value(entry.text, "nicht in der Werteliste des Formulars", entry.path)
    if one.list_name:
        return Value(entry.text, "Schlüssel; Werteliste nicht hinterlegt", entry.path)
    return Value(_typed(one.kind, entry.text), "", entry.path)


class _Filling:
    def __init__(self, form: Form) -> None:
        self._form = form
        self.unknown: list[Entry] = []
        self.shown: set[str] = set()

    def members(self, group: FormGroup, entries: Sequence[Entry]) -> tuple[Row | Remark | Section, ...]:
        placed: dict[Identity, list[Entry]] = {}
        for entry in entries:
            member = group.member(identity_of(entry.name))
            if member is None or not _fits(member, entry):
                self.unknown.append(entry)
            else:
                placed.setdefault(member.identity, []).append(entry)
        parts: list[Row | Remark | Section] = []
        for member in group.members:
            parts += self._member(member, placed.pop(member.identity, []))
        return tuple(parts)

    def _member(self, member: Member, entries: Sequence[Entry]) -> Iterator[Row | Remark | Section]:
        if isinstance(member, FormGroup):
            for number, entry in enumerate(entries, 1):
                which = f"{number} von {len(entries)}" if len(entries) > 1 else ""
                yield Section(member.label, self._group(member, entry), member.help, which)
        elif entries:
            yield Row(member.label, tuple(self._values(member, entries)), member.help)
        elif member.art == "label" and member.content:
            yield Remark(member.content)

    def _group(self, group: FormGroup, entry: Entry) -> tuple[Row | Remark | Section, ...]:
        if not entry.entries:
            self.shown.add(entry.path)
        return self.members(group, entry.entries)

    def _values(self, one: FormField, entries: Sequence[Entry]) -> Iterator[Value]:
        for entry in entries:
            self.shown.update(leaf.path for leaf in entry.leaves())
            if entry.entries and _is_coded(entry):
                yield _coded(one, entry)
            elif entry.entries:
                yield from (_inside(entry, leaf) for leaf in entry.leaves())
            else:
                yield show(one, entry)


def _fits(member: Member, entry: Entry) -> bool:
    """A group of the form takes no text, and a field takes further entries only where it holds a file of any type."""
    if isinstance(member, FormGroup):
        return bool(entry.entries) or not entry.text.strip(_BLANKS)
    return not entry.entries or member.kind in ("file", "object") or _is_coded(entry)


def _is_coded(entry: Entry) -> bool:
    """Whether it is a code in the spelling of xÖV: list and version as attributes, `code`, and `name` for people."""
    names = [one.name for one in entry.entries]
    texts = all(not one.entries for one in entry.entries)
    return texts and names.count("code") == 1 and {"@listURI", "@listVersionID", "code", "name"}.issuperset(names)


def _coded(one: FormField, entry: Entry) -> Value:
    """By the list of the form where it is at hand; otherwise what the sender calls the code, and that it is the sender."""
    told = {inside.name: inside for inside in entry.entries}
    shown = show(one, told["code"])
    code = told["code"].text.strip(_BLANKS)
    if "name" not in told or code in one.values:
        return shown
    return Value(told["name"].text, f"Schlüssel {code}, Bezeichnung des Absenders", shown.path)


def _inside(entry: Entry, leaf: Entry) -> Value:
    """A leaf inside an upload of any type, with where it stands in it."""
    return Value(_shortened(leaf), leaf.path.removeprefix(f"{entry.path}/"), leaf.path)


def _unknown(leaf: Entry, labels: Mapping[str, str]) -> Row:
    known = labels.get(identity_of(leaf.name).id)
    note = f"„{known}“ an anderer Stelle des Formulars" if known else ""
    empty = "" if leaf.text.strip(_BLANKS) else "ohne Angabe"
    return Row(leaf.path, (Value(_shortened(leaf), empty or note, leaf.path),))


def _file(entry: Entry) -> Value:
    text = _shortened(entry)
    return Value(text, "Datei siehe Abschnitt „Anlagen“" if not text.strip(_BLANKS) else "Angabe zur Datei", entry.path)


def _shortened(entry: Entry) -> str:
    """A file inside the form data is named by its size; every other text is shown whole."""
    if len(entry.text) > _LONG_CONTENT and _BASE64.issuperset(entry.text):
        return f"Dateiinhalt, {write_bytes(len(''.join(entry.text.split())) * 3 // 4)}, in den Formulardaten enthalten"
    return entry.text


def _typed(kind: str, text: str) -> str:
    """Dates, times, truth values and amounts in German; whole numbers as sent, because forms use them for identifiers."""
    try:
        if kind == "date":
            return write_date(date(text))
        if kind == "bool":
            return "Ja" if boolean(text) else "Nein"
        if kind == "num":
            return write_decimal(text.strip(_BLANKS))
        if kind == "num_currency":
            return write_amount(text.strip(_BLANKS))
        if kind in ("time", "datetime"):
            return write_time_of_day(text.strip(_BLANKS))
    except ValueError:
        return text
    return text


def _sections(parts: Sequence[Row | Remark | Section], loose: str) -> Iterator[Section]:
    """Groups of the form are sections; what stands between them gets one of its own where it stands."""
    run: list[Row | Remark | Section] = []
    for part in parts:
        if not isinstance(part, Section):
            run.append(part)
            continue
        if run:
            yield Section(loose, tuple(run))
            run = []
        yield part
    if run:
        yield Section(loose, tuple(run))


def _helps(parts: Sequence[Row | Remark | Section]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if isinstance(part, Remark):
            continue
        label = part.title if isinstance(part, Section) else part.label
        if part.help:
            yield label, part.help
        if isinstance(part, Section):
            yield from _helps(part.parts)
