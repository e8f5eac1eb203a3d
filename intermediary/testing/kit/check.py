"""Runs the whole kit, or some guarantees of it, against one connector."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from intermediary.core.ports import Idempotency, Manifest
from intermediary.testing.kit.description import Candidate
from intermediary.testing.kit.kills import kills
from intermediary.testing.kit.order import CANARY, Generated, hashes, large_order
from intermediary.testing.kit.session import Session, doubled, opened
from intermediary.testing.kit.troubles import troubles
from intermediary.testing.kit.verdict import GUARANTEES, Verdict, judged

_MEBIBYTE = 1 << 20
_USUAL_BYTES = 44 * _MEBIBYTE
_LEAST_BYTES = 36 * _MEBIBYTE  # what is held whole must not pass as the growth that is allowed
_LARGE_BYTES = 2 << 30
_MOST_GROWTH = 24 * _MEBIBYTE
_LARGE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Report:
    """What was found out about a connector, in the order of `GUARANTEES`."""

    name: str
    manifest: Manifest
    verdicts: tuple[Verdict, ...]

    @property
    def is_fine(self) -> bool:
        return all(one.standing != "broken" for one in self.verdicts)


def check(
    candidate: Candidate,
    *,
    wanted: Collection[str] = tuple(GUARANTEES),
    is_large: bool = False,
    is_brief: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Try these guarantees; `tell` is told the name of each that is begun. A brief check stops
    each at its first flaw. Raises `NotBuilt` and what a target raises.
    """
    found: dict[str, Verdict] = {}
    with opened(candidate, is_brief=is_brief) as session:
        for verdict in _tried(session, wanted, is_large=is_large, tell=tell):
            found[verdict.name] = verdict
        if "discreet" in wanted:
            found["discreet"] = _discreet(session)
        manifest = session.manifest
    for name in wanted:
        found.setdefault(
            name, Verdict(name, "untried", "", ("whole hält nicht, und daran wird alles andere gemessen",))
        )
    return Report(candidate.name, manifest, tuple(found[name] for name in GUARANTEES if name in found))


def _tried(
    session: Session, wanted: Collection[str], *, is_large: bool, tell: Callable[[str], None]
) -> Iterator[Verdict]:
    tell("whole")
    whole = _whole(session)  # what one delivery does: everything else is measured by it
    yield whole
    if whole.standing == "broken":
        return
    for name, trial in {"probe": _probe, "repeat": _repeat, "lookup": _lookup}.items():
        if name in wanted:
            tell(name)
            yield trial(session)
    tell("troubles")
    yield from troubles(session, wanted)
    if "kills" in wanted:
        tell("kills")
        yield kills(session)
    if "memory" in wanted:
        tell("memory")
        yield _memory(session, _LARGE_BYTES if is_large else _USUAL_BYTES)


def _whole(session: Session) -> Verdict:
    auftrag = session.new_order()
    made = session.deliver(auftrag, session.worker.steps())
    effects = session.target.effects(auftrag.key)
    session.baseline = tuple(one.kind for one in effects)
    flaws = [] if made.is_done else [f"gemeldet wird {made.words()}: {made.told}".strip(": ")]
    if made.is_done and not effects:
        flaws.append("Zugestellt gemeldet, am Ziel ist nichts")
    seen = {one.sha256 for one in effects if one.sha256}
    is_whole = bool(seen & hashes(auftrag))
    if seen and not is_whole:
        flaws.append("keine Wirkung hat die Bytes des Pakets oder eines Dokuments")
    fine = (
        f"{len(effects)} Wirkungen ({', '.join(session.baseline)}), {'Bytes gleich' if is_whole else 'Bytes unbekannt'}"
    )
    return judged("whole", "eine Zustellung ohne Störung", flaws, fine=fine)


def _probe(session: Session) -> Verdict:
    auftrag = session.new_order()
    made = session.worker.probe()
    flaws = [] if made.kind == "nonetype" else [f"probe() meldet {made.words()}, obwohl das Ziel da ist: {made.told}"]
    if session.kinds(auftrag.key):
        flaws.append(f"am Ziel entstand {', '.join(session.kinds(auftrag.key))}")
    return judged("probe", "probe() an einem gesunden Ziel", flaws, fine="kein Fehler, keine Wirkung")


def _repeat(session: Session) -> Verdict:
    if session.level is Idempotency.NONE:
        return Verdict("repeat", "untried", "", ("das Manifest behauptet es nicht (none)",))
    auftrag = session.new_order()
    first = session.deliver(auftrag, session.worker.steps())
    if session.level is Idempotency.LOOKUP:
        return _repeat_with_steps(session)
    again = session.deliver(auftrag, session.worker.steps())
    flaws = [] if again.is_done else [f"die Wiederholung meldet {again.words()}"]
    if again.is_done and again.proof != first.proof:
        flaws.append("die Wiederholung hat einen anderen Nachweis")
    found = doubled(session.baseline, session.kinds(auftrag.key))
    flaws += [f"{count}× {kind} zu viel am Ziel" for kind, count in found.items()]
    return judged("repeat", "derselbe Auftrag zweimal, ohne Schritte", flaws, fine="eine Wirkung, derselbe Nachweis")


def _repeat_with_steps(session: Session) -> Verdict:
    """Where the target is asked, a repetition has the steps of the first attempt."""
    if not session.manifest.steps:
        return Verdict("repeat", "untried", "", ("ein Ziel mit lookup wird vor jeder Wiederholung gefragt",))
    auftrag, steps = session.new_order(), session.worker.steps()
    session.deliver(auftrag, steps)
    again = session.deliver(auftrag, steps)
    found = doubled(session.baseline, session.kinds(auftrag.key))
    flaws = [f"{count}× {kind} zu viel am Ziel" for kind, count in found.items()]
    flaws += [] if again.is_done else [f"die Wiederholung meldet {again.words()}"]
    return judged("repeat", "derselbe Auftrag zweimal, mit seinen Schritten", flaws, fine="keine zweite Wirkung")


def _lookup(session: Session) -> Verdict:
    if session.level is not Idempotency.LOOKUP:
        return Verdict("lookup", "untried", "", (f"das Manifest behauptet es nicht ({session.level})",))
    flaws: list[str] = []
    auftrag, steps = session.new_order(), session.worker.steps()
    before = session.lookup(auftrag, steps)
    if before.kind != "notdelivered":
        flaws.append(f"vor der Zustellung meldet lookup() {before.words()}")
    made = session.deliver(auftrag, steps)
    after = session.lookup(auftrag, steps)
    if not after.is_done:
        flaws.append(f"nach der Zustellung meldet lookup() {after.words()}")
    elif after.proof != made.proof:
        flaws.append("lookup() hat einen anderen Nachweis als deliver()")
    other = session.new_order()
    if session.lookup(other, session.worker.steps()).kind != "notdelivered":
        flaws.append("lookup() verwechselt Schlüssel")
    if doubled(session.baseline, session.kinds(auftrag.key)) or session.kinds(other.key):
        flaws.append("lookup() hat eine Wirkung")
    return judged("lookup", "vor, nach und für einen anderen Schlüssel gefragt", flaws, fine="drei richtige Antworten")


def _memory(session: Session, length: int) -> Verdict:
    most = session.manifest.max_document_bytes
    length = min(length, most) if most else length
    if length < _LEAST_BYTES:
        return Verdict("memory", "untried", "", (f"das Manifest erlaubt höchstens {length} Bytes",))
    session.worker.end()
    session.worker.table = {**session.worker.table, **session.candidate.description.large}
    session.deliver(session.new_order(), session.worker.steps())  # what it needs anyway is loaded now
    number = 1_000_000
    auftrag = large_order(number, Generated.of(length))
    session.target.effects(auftrag.key)
    before = session.worker.peak_kilobytes()
    made = session.deliver(auftrag, session.worker.steps(), seconds=_LARGE_SECONDS)
    after = session.worker.peak_kilobytes() if made.is_done else before
    flaws = [] if made.is_done else [f"gemeldet wird {made.words()} (die Speichergrenze eines Prozesses ist 512 MiB)"]
    if (after - before) * 1024 > _MOST_GROWTH:
        flaws.append(f"der Speicher wuchs um {(after - before) // 1024} MiB, erlaubt sind {_MOST_GROWTH // _MEBIBYTE}")
    if made.is_done and not session.kinds(auftrag.key):
        flaws.append("am Ziel ist nichts")
    tried = f"ein Paket von {length // _MEBIBYTE} MiB"
    return judged("memory", tried, flaws, fine=f"der Speicher wuchs um {max(0, after - before) // 1024} MiB")


def _discreet(session: Session) -> Verdict:
    """Everything the connector has said during all other trials, and every file it has left outside of the target."""
    session.worker.end()
    canary, flaws = CANARY.decode(), []
    if CANARY in session.worker.heard:
        flaws.append("Inhalt wurde gedruckt (stdout, stderr oder Protokoll)")
    if any(canary in told for told in session.told):
        flaws.append("Inhalt steht in einem Fehler, Nachweis oder Schritt")
    taken = ("drop", "away")
    left = [path for path in session.folder.rglob("*") if path.is_file() and not _is_in(path, session.folder, taken)]
    flaws += [f"Inhalt liegt in der Datei {path.name}" for path in left if CANARY in path.read_bytes()]
    tried = "gedruckt, gemeldet und abgelegt wurde während aller anderen Versuche: nach Inhalt durchsucht"
    return judged("discreet", tried, flaws, fine=f"{len(session.told)} Meldungen und {len(left)} Dateien ohne Inhalt")


def _is_in(path: Path, folder: Path, names: tuple[str, ...]) -> bool:
    return path.relative_to(folder).parts[0] in names
