"""The sections of a report, each as lines of HTML; empty ones are left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from intermediary.core.ports import ANY_ROOT
from intermediary.testing.workbench.report.cells import Cells
from intermediary.testing.workbench.report.facts import Facts, Source
from intermediary.testing.workbench.report.markup import facts, small, stack, strong, table, text
from intermediary.testing.workbench.report.unused import Unused

_VERDICTS = {"accepted": "wird übernommen", "refused": "wird abgelehnt", "waits": "wartet auf den Betrieb"}


class Body:
    """What stands in each section; the page gives them headings and order."""

    def __init__(self, shown: Facts, unused: tuple[Unused, ...] | None, *, is_official: bool) -> None:
        self._facts = shown
        self._unused = unused
        self._is_official = is_official
        self._cells = Cells(shown)
        self.title = shown.bench.form.title or shown.bench.place.name

    def of(self, anchor: str) -> Iterator[str]:
        """The lines of one section; none when there is nothing to say."""
        lines: Iterator[str] = getattr(self, f"_{anchor}")()
        return lines

    def lead(self, anchor: str) -> str:
        """What a section is, for somebody who opens the page for the first time."""
        return {
            "achten": f"Diese Punkte sind kein Fehler, brauchen aber eine Entscheidung des Fachamts.{self._not_lost()}",
            "formular": "Jedes Feld des Formulars in seiner Reihenfolge, mit allen Stellen des Ziels, in die es geht.",
            "ziel": "Jede Angabe der Zielnachricht in der Reihenfolge des Standards.",
            "regeln": "Erläuterungen aus der README des Mappings.",
            "frei": "Angaben, die der Standard an den benutzten Stellen außerdem kennt.",
        }.get(anchor, "")

    def _blick(self) -> Iterator[str]:
        shown, found = self._facts, self._facts.bench.coverage
        if shown.bench.failed:
            yield (
                f'<p class="alarm"><strong>Achtung:</strong> {shown.bench.failed} von {len(shown.bench.trials)} Testfällen '
                "kommen nicht heraus wie geprüft. Dieser Bericht zeigt den jetzigen, nicht den freigegebenen Stand.</p>"
            )
        standings = [one.standing for one in shown.sources]
        figures: list[tuple[object, str]] = [
            (standings.count("carried"), "Felder werden übertragen"),
            (standings.count("shown"), "Felder stehen nur im lesbaren Dokument"),
            (standings.count("looked"), "Felder werden nur gelesen, etwa zur Prüfung"),
            (standings.count("ignored"), "Felder liest niemand"),
            (standings.count("unseen"), "Felder sind in keinem Testfall"),
        ]
        having = found.leaves - len(found.without)
        figures.append((f"{100 * having // max(found.leaves, 1)} %", "der Zielangaben haben eine Herkunft"))
        is_any = shown.bench.place.mapping.input_root == ANY_ROOT
        left_out = "Felder werden nur gelesen" if is_any else "Felder stehen nur"
        figures = [(value, name) for value, name in figures if not name.startswith(left_out)]
        rows = [(value, name) for value, name in figures if shown.sources or name.startswith("der")]
        yield f'<ul class="figures">{"".join(f"<li><b>{value}</b>{name}</li>" for value, name in rows)}</ul>'
        yield from facts(
            (
                ("Formular", self._form()),
                ("Ziel", stack(strong(f"{standard}, Nachricht {message}") for standard, message in shown.targets)),
                ("Testfälle", text(self._cases())),
                ("Prüfung der Ausgaben", text(self._checked())),
                (
                    "Zielangaben",
                    text(f"{len(shown.goals)} verschiedene, davon {sum(g.is_required for g in shown.goals)} Pflicht"),
                ),
                ("Formulardaten", text(self._whole())),
            )
        )

    def _form(self) -> str:
        root = self._facts.bench.place.mapping.input_root
        if root == ANY_ROOT:
            return "jedes Formular, das eine Route beschreibt; gezeigt sind die der Testfälle"
        return stack((strong(self.title), small(root)))

    def _cases(self) -> str:
        trials = self._facts.bench.trials
        expected = [one.case.expect for one in trials]
        return (
            f"{len(trials)}: {expected.count('accepted')} werden übernommen, {expected.count('refused')} abgelehnt, "
            f"{expected.count('waits')} warten; {len(trials) - self._facts.bench.failed} wie geprüft"
        )

    def _checked(self) -> str:
        if not self._is_official:
            return "nicht gegen das amtliche Schema geprüft"
        return (
            "jede Ausgabe gegen das amtliche Schema geprüft, ohne Befund"
            if not self._facts.bench.failed
            else "siehe oben"
        )

    def _whole(self) -> str:
        accepted = self._facts.bench.coverage.accepted
        if accepted and self._facts.whole == accepted:
            readable = ", dazu eine lesbare Zusammenfassung" if self._facts.readable == accepted else ""
            return f"liegen in allen {accepted} übernommenen Fällen unverändert bei{readable}"
        return f"liegen in {self._facts.whole} von {accepted} übernommenen Fällen unverändert bei"

    def _not_lost(self) -> str:
        accepted = self._facts.bench.coverage.accepted
        if not accepted or self._facts.whole < accepted:
            return ""
        return " Verloren geht nichts: Die Formulardaten liegen jeder Ausgabe unverändert bei."

    def _achten(self) -> Iterator[str]:
        cells, found = self._cells, self._facts.bench.coverage
        asked = [("ignored", "Gesendet, aber von niemandem gelesen"), ("unseen", "In keinem Testfall enthalten")]
        for standing, title in asked:
            ones = [one for one in self._facts.sources if one.standing == standing]
            grouped = [
                (cells.groups(groups), ", ".join(cells.short(one) for one in run))
                for groups, run in groupby(ones, lambda one: one.asked.groups)
            ]
            heads = ("Abschnitt des Formulars", "Felder")
            yield from table(f"{title}: {len(ones)}", heads, grouped, name="wide", first_is_head=False)
        rows = [(text(cells.target(path)), "Pflichtangabe") for path in found.not_filled]
        yield from table(
            f"Pflichtangaben des Ziels, die kein Testfall füllt: {len(rows)}", ("Angabe der Zielnachricht", ""), rows
        )
        unexplained = [name for name in self._facts.used_rules if name not in self._facts.rules]
        yield from table(
            f"Regeln ohne Erläuterung: {len(unexplained)}",
            ("Regel", ""),
            [(text(one), "in der README ergänzen") for one in unexplained],
        )
        rows = [(text(cells.target(path)), "Mangel des Mappings") for path in found.without]
        yield from table(f"Zielangaben ohne Herkunft: {len(rows)}", ("Angabe der Zielnachricht", ""), rows)

    def _formular(self) -> Iterator[str]:
        def where(one: Source) -> tuple[str, ...]:
            return one.asked.groups

        heads = ("Feld", "Stand", "Ziel", "Regel")
        seen: set[tuple[str, ...]] = set()
        for groups, run in groupby(self._facts.sources, where):
            caption = (" › ".join(groups) or "Ohne Abschnitt") + (" (Fortsetzung)" if groups in seen else "")
            seen.add(groups)
            rows = [(self._cells.asked(one), self._cells.standing(one), *self._cells.going(one)) for one in run]
            yield from table(caption, heads, rows, name="form")

    def _ziel(self) -> Iterator[str]:
        seen: set[str] = set()
        for part, run in groupby(self._facts.goals, lambda goal: self._cells.part(goal.path)):
            rows = [(self._cells.goal(goal, part), self._cells.made(goal)) for goal in run]
            caption = f"{part} (Fortsetzung)" if part in seen else part
            seen.add(part)
            yield from table(caption, ("Angabe der Zielnachricht", "Herkunft"), rows, name="goal")

    def _regeln(self) -> Iterator[str]:
        rows = [
            (strong(name), text(self._facts.rules.get(name, "(nicht erläutert)")), self._cells.used_for(name))
            for name in self._facts.used_rules
        ]
        yield from table(
            f"Regeln, nach denen Angaben entstehen: {len(rows)}",
            ("Regel", "Bedeutung", "Benutzt für"),
            rows,
            name="wide",
        )

    def _listen(self) -> Iterator[str]:
        rows = list(self._cells.lists())
        yield from table(
            f"Codelisten: {len(rows)}",
            ("Liste und Version", "Codes in den Testfällen", "Angabe der Zielnachricht"),
            rows,
        )

    def _werte(self) -> Iterator[str]:
        rows = list(self._cells.constants())
        yield from table(f"Feste Werte: {len(rows)}", ("Angabe der Zielnachricht", "Wert"), rows)
        settings = [
            (
                strong(one.name),
                text(one.help),
                "muss gesetzt sein" if one.default is None else f"Vorgabe: {text(one.default) or 'leer'}",
            )
            for one in self._facts.settings
        ]
        yield from table(f"Einstellungen der Route: {len(rows)}", ("Einstellung", "Bedeutung", "Vorgabe"), settings)

    def _ablehnung(self) -> Iterator[str]:
        rows = [
            (
                strong(one.rule),
                text(self._facts.rules.get(one.rule) or one.hint),
                self._cells.where(one.where),
                text(", ".join(one.cases)),
            )
            for one in self._facts.refusals
        ]
        yield from table(
            f"Ablehnungen und Wartefälle in den Testfällen: {len(rows)}",
            ("Regel", "Bedeutung", "Angabe", "Testfall"),
            rows,
        )

    def _faelle(self) -> Iterator[str]:
        rows = [
            (
                strong(one.case.name),
                _VERDICTS[one.case.expect],
                text(one.case.why),
                '<span class="mark bad">weicht ab</span>'
                if one.problems
                else '<span class="mark good">wie geprüft</span>',
            )
            for one in self._facts.bench.trials
        ]
        yield from table(f"Testfälle: {len(rows)}", ("Fall", "Ergebnis", "Warum es ihn gibt", "Stand"), rows)

    def _frei(self) -> Iterator[str]:
        if self._unused is None:
            yield "<p>Nicht nachgesehen: Der Bericht wurde ohne das amtliche Schema erzeugt.</p>"
            return
        rows = [(text(self._cells.target(one.path)), text(", ".join(one.names))) for one in self._unused]
        yield from table("Nicht benutzte Angaben des Standards", ("Stelle", "Angaben"), rows, name="wide")

    def _nachweis(self) -> Iterator[str]:
        shown, bench = self._facts, self._facts.bench
        shape = bench.shape
        rows = [
            ("Mapping", stack((text(bench.place.name), small(bench.place.sha256)))),
            ("Eingangsschema", self._input_schema()),
            ("Zielschema", stack((text(shape.package), small(shape.sha256))) if shape else text(shown.targets[0][0])),
            ("Zahl der Blattelemente", text(self._leaves())),
        ]  # fmt: skip
        yield from facts(rows)
        yield "<p>Die Zeichenfolgen sind SHA-256-Prüfsummen: gleiche Prüfsumme, gleicher Inhalt.</p>"

    def _leaves(self) -> str:
        found = self._facts.bench.coverage
        return f"{found.leaves} in {found.accepted} Ausgaben, ohne Herkunft: {len(found.without)}"

    def _input_schema(self) -> str:
        form = self._facts.bench.form
        return stack((text(form.package), small(form.sha256))) if form.package else "keines"
