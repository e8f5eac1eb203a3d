"""Cells of a report's tables: fields of the form by their names, places of the target, origins in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from intermediary.testing.workbench.report.facts import Facts, Goal, Source
from intermediary.testing.workbench.report.markup import small, stack, strong, text
from intermediary.testing.workbench.report.origins import Origin, spelled

_STANDINGS = {
    "carried": ("übertragen", "good"),
    "looked": ("nur gelesen", "look"),
    "shown": ("im Dokument", "good"),
    "ignored": ("liest niemand", "bad"),
    "unseen": ("in keinem Testfall", "look"),
}
_MOST_IN_A_PART = 14


class Cells:
    """Turns facts into HTML cells; knows the names of fields and settings."""

    def __init__(self, shown: Facts) -> None:
        self._facts = shown
        self._labels = dict(_group_labels(shown)) | {one.asked.path: one.asked.label for one in shown.sources}
        self._helps = {one.name: one.help for one in shown.settings}

    def target(self, path: str) -> str:
        """A place of the target without its root: `Kopf › ProzessID`."""
        return " › ".join(path.split("/")[2:]) or path.strip("/")

    def asked(self, one: Source) -> str:
        """A field: its name, then the id and how often it occurs."""
        often = "Pflicht" if one.asked.is_required else "freiwillig"
        often += ", mehrfach" if one.asked.is_repeated else ""
        name = one.asked.name if one.asked.label != one.asked.name else ""
        return stack((strong(one.asked.label), small(f"{name} ({often})" if name else f"({often})")))

    def short(self, one: Source) -> str:
        """A field in a list of fields."""
        return text(one.asked.label) + (" (Pflicht)" if one.asked.is_required else "")

    def groups(self, groups: tuple[str, ...]) -> str:
        """A section of the form."""
        return text(" › ".join(groups) or "ohne Abschnitt")

    def standing(self, one: Source) -> str:
        """Whether somebody uses the field; said in words, the colour only repeats it."""
        words, colour = _STANDINGS[one.standing]
        return f'<span class="mark {colour}">{words}</span>'

    def going(self, one: Source) -> tuple[str, str]:
        """Where a field goes and by which rules."""
        places = dict.fromkeys(self.target(path) for path, _ in one.goals)
        rules = dict.fromkeys(self._how(origin) for _, origin in one.goals)
        return stack(text(place) for place in places) or "–", stack(rules) or "–"

    def part(self, path: str) -> str:
        """The part of the target a leaf is shown in: as large as still fits a table."""
        steps = path.split("/")[2:-1]
        for length in range(1, len(steps) + 1):
            around = "/".join(["", path.split("/")[1], *steps[:length], ""])
            if sum(goal.path.startswith(around) for goal in self._facts.goals) <= _MOST_IN_A_PART:
                return " › ".join(steps[:length])
        return " › ".join(steps) or "Nachricht"

    def goal(self, goal: Goal, part: str) -> str:
        """A leaf of the target, named from the part it is shown in, and whether it has to be."""
        name = self.target(goal.path).removeprefix(f"{part} › ")
        return stack((strong(name), small("Pflicht" if goal.is_required else "")))

    def made(self, goal: Goal) -> str:
        """All ways in which a leaf is made."""
        return stack(dict.fromkeys(self._origin(origin, goal.values) for origin in goal.origins))

    def _origin(self, origin: Origin, values: tuple[str, ...]) -> str:
        parts = [self.where(path) for path in origin.inputs]
        parts += [text(one) for one in spelled(origin, values, self._helps)]
        how = self._how(origin)
        joined = ", ".join(parts)
        if origin.kind == "input":
            return f"Feld {joined}"
        if not joined:
            return how
        return f"{how}: {joined}" if how and origin.kind in ("rule", "codelist") else joined

    def _how(self, origin: Origin) -> str:
        if origin.kind == "rule":
            return f"Regel {text(origin.rule)}"
        if origin.kind == "codelist":
            return f"Codeliste {small(f'{origin.list_uri} {origin.list_version}')}"
        return "wie gesendet" if origin.kind == "input" else ""

    def where(self, path: str) -> str:
        """A field by its name, with its id; what is no field of the form as it is."""
        label = self._labels.get(path)
        name = path.rpartition("/")[2]
        if label is None:
            return text(path)
        return strong(label) if label == name else f"{strong(label)} {small(name)}"

    def used_for(self, rule: str) -> str:
        """The places a rule makes."""
        places = [self.target(goal.path) for goal in self._facts.goals if any(o.rule == rule for o in goal.origins)]
        return stack(text(place) for place in dict.fromkeys(places))

    def lists(self) -> Iterator[tuple[str, str, str]]:
        """Every code list: with its codes as the cases show them, and the places it is used at."""
        places: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        codes: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for goal in self._facts.goals:
            for origin in goal.origins:
                if origin.kind == "codelist":
                    key = (origin.list_uri, origin.list_version)
                    places[key][self.target(goal.path.removesuffix("/code"))] = None
                    codes[key].update(dict.fromkeys(goal.values))
        for (uri, version), used in sorted(places.items()):
            seen = sorted(codes[uri, version])
            shown = ", ".join(seen[:20]) + (", …" if len(seen) > 20 else "")
            yield stack((text(uri), small(f"Version {version}"))), text(shown), stack(text(one) for one in used)

    def constants(self) -> Iterator[tuple[str, str]]:
        """Every leaf that is the same for each application."""
        for goal in self._facts.goals:
            kinds = {origin.kind for origin in goal.origins}
            if kinds == {"constant"}:
                yield (
                    text(self.target(goal.path)),
                    text(", ".join(one for one in goal.values if one) or "leeres Element"),
                )


def _group_labels(shown: Facts) -> Iterator[tuple[str, str]]:
    """The groups of the form by their path."""
    for one in shown.sources:
        steps = one.asked.path.split("/")
        for length, label in enumerate(one.asked.groups, 3):
            yield "/".join(steps[:length]), label
