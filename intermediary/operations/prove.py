"""The audit trail for people: verify it, export it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from intermediary.audit import standalone
from intermediary.audit.chain import moment
from intermediary.audit.sealer import Head
from intermediary.audit.second_place import read_heads
from intermediary.audit.standing import differences, hold_differences
from intermediary.audit.syslog import read_syslog
from intermediary.audit.verify import Defect, Problem, Report, Restored, verify
from intermediary.core.faults import Transient
from intermediary.operations.rotate import public_keys
from intermediary.store.records import AuditSnapshot, Beside
from intermediary.wiring import Installation, installation_id

_MOST_ROWS = 100


def export(installation: Installation) -> Iterator[str]:
    """Every event of one moment as a line of JSON (docs/reference/audit-format.md)."""
    for entry in installation.store.all_events():
        yield entry.line()


def verify_installation(
    installation: Installation,
    *,
    heads_folder: Path | None = None,
    watch: Callable[[Iterator[bytes]], Iterator[bytes]] = iter,
) -> Report:
    """Check chains, log and heads of the store against the heads in the second place, and rows against events.

    A second place that is missing, empty or behind is a problem of its own: without it a store that was put back to an
    earlier day looks sound. It is read before the store, since what stood there then must be in the store, and again
    afterwards, to see how far it has come. `heads_folder` names another one than the configured: a folder, a file of heads,
    or what a syslog server wrote. `watch` is handed every line on its way to the verifier.
    """
    place = heads_folder or installation.settings.audit.heads_folder
    name = str(installation_id(installation.settings.installation.name))
    before = _read(place, name)
    with installation.store.audit_snapshot() as snapshot:
        report = verify(
            watch(snapshot.lines),
            snapshot.heads,
            public_keys(installation),
            second_place=before or (),
            ends=snapshot.ends,
        )
        rows = islice(compare_snapshot(snapshot), _MOST_ROWS)
        problems = [*report.problems, *rows]
    lag = compare_extent(snapshot.heads, _read(place, name))
    return replace(report, problems=(*problems, *([lag] if lag else [])))


def compare_snapshot(snapshot: AuditSnapshot) -> Iterator[Problem]:
    """All rows that say something else than the events of the same moment: of Nachrichten, and of standing holds."""
    holds = snapshot.holds
    differing = hold_differences(holds.events, holds.holds)
    return chain(
        compare_rows(snapshot.beside),
        (Problem(Defect.ROW_DIFFERS, chain=holds.installation, what=what) for what in differing),
    )


def compare_rows(pairs: Iterable[Beside]) -> Iterator[Problem]:
    """Every Nachricht whose rows say something else than its events, and every chain whose rows are gone (G17)."""
    for pair in pairs:
        if pair.row is None:
            yield Problem(Defect.ROW_MISSING, chain=pair.chain)
            continue
        for what in differences(pair.events, pair.row, pair.zustellungen):
            yield Problem(Defect.ROW_DIFFERS, chain=pair.chain, what=what)


def compare_extent(heads: Sequence[Head], second_place: Sequence[Head] | None) -> Problem | None:
    """What is wrong when the second place does not reach up to the heads of the store; None when it does.

    The heads of the newest sealing may be missing there, since the daemon copies them right after the commit: all that
    bear the moment of the newest one. An empty place does not do as soon as there is any head.
    """
    if second_place is None or (heads and not second_place):
        return Problem(Defect.SECOND_PLACE_MISSING)
    own = {head.digest() for head in heads}
    reached = max((head.size for head in second_place if head.digest() in own), default=0)
    if any(head.size > reached and head.at != heads[-1].at for head in heads):
        return Problem(Defect.SECOND_PLACE_BEHIND, number=reached + 1)
    return None


def _read(place: Path, installation: str) -> tuple[Head, ...] | None:
    try:
        return read_syslog(place, installation) if place.is_file() else read_heads(place)
    except (Transient, OSError):
        return None


def write_export(installation: Installation, folder: Path) -> int:
    """Write everything a verifier needs into a new folder, the verifier included; how many events. FileExistsError."""
    folder.mkdir(mode=0o700)
    count = 0
    with installation.store.audit_snapshot() as snapshot:
        with (folder / "events.jsonl").open("wb") as file:
            for line in snapshot.lines:
                file.write(line + b"\n")
                count += 1
        heads = "".join(f"{head.line()}\n" for head in snapshot.heads)
    (folder / "heads.jsonl").write_text(heads, encoding="utf-8")
    (folder / "keys.pem").write_bytes(b"".join(public_keys(installation)))
    (folder / "verify.py").write_text(inspect.getsource(standalone), encoding="utf-8")
    return count


def verify_file(path: Path, *, keys: Sequence[Path], heads: Path | None) -> tuple[bool, str]:
    """Whether a dossier or an export folder is sound, and a sentence: what was shown, or the first bad entry.

    Without `keys` (PEM files) those that came along are believed. `ValueError` when the file is neither.
    """
    trusted = [key for file in keys for key in standalone.keys_in(file.read_text(encoding="utf-8"))]
    try:
        return True, standalone.check(path, trusted, heads)
    except standalone.Bad as bad:
        return False, f"VERLETZT: {bad}"


def verify_dossier(dossier: Mapping[str, Any]) -> tuple[bool, str]:
    """As `verify_file`, of a dossier that was just made."""
    try:
        return True, standalone.check_dossier(dossier)
    except standalone.Bad as bad:
        return False, f"VERLETZT: {bad}"


def as_json(report: Report) -> dict[str, Any]:
    """The result for scripts: counts, and every problem with its place."""
    return {
        "ok": report.is_ok,
        "events": report.events,
        "sealed": report.sealed,
        "unsealed": report.unsealed,
        "lastHead": report.last_head,
        "problems": [{"defect": p.defect.value, **_place(p)} for p in report.problems],
        "restored": [
            {"at": moment(one.at), "backup": one.backup, "size": one.size, "lostTo": one.lost_to}
            for one in report.restored
        ],
    }


def as_text(report: Report) -> str:
    """The result in German, a line, and one for each restore; with a problem, the first bad entry."""
    return "\n".join([_sentence(report), *(_told(one) for one in report.restored)])


def _told(restored: Restored) -> str:
    lost = restored.lost_to - restored.size
    what = (
        f"die Ereignisse {restored.size + 1} bis {restored.lost_to} von damals sind verloren"
        if lost
        else "ohne Verlust"
    )
    return f"Wiederherstellung am {moment(restored.at)[:16]}Z aus {restored.backup}: {what}"


def _sentence(report: Report) -> str:
    counts = f"{report.events} Ereignisse, davon {report.sealed} unter signierten Köpfen, {report.unsealed} noch nicht"
    if report.first_bad is None:
        return f"Audit geprüft: unversehrt ({counts})"
    if all(problem.defect.is_uncompared for problem in report.problems):
        what = _UNCOMPARED[report.first_bad.defect]
        return f"Audit NICHT VERGLICHEN: {what}. In sich stimmig; ein Zurücksetzen bliebe unbemerkt ({counts})"
    place = " ".join(f"{name}={value}" for name, value in _place(report.first_bad).items())
    many = "1 Mangel" if len(report.problems) == 1 else f"{len(report.problems)} Mängel"
    return f"Audit VERLETZT: {report.first_bad.defect.value} bei {place} ({many}; {counts})"


_UNCOMPARED = {
    Defect.SECOND_PLACE_MISSING: "der zweite Ort (audit.heads_folder) fehlt, ist leer oder nicht lesbar",
    Defect.SECOND_PLACE_BEHIND: "am zweiten Ort (audit.heads_folder) fehlen die letzten Köpfe der Datenbank",
}


def _place(problem: Problem) -> dict[str, Any]:
    place = {name: getattr(problem, name) for name in ("line", "number", "upto", "chain", "seq", "what")}
    return {name: value for name, value in place.items() if value not in (None, "")}
