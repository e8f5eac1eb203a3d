"""`intermediary demo`: the whole path on made-up applications, offline, in one folder; the same rooms as the daemon's.

Eight sealed files are dropped into a watched folder and what becomes of each is shown: delivered, rejected, waiting,
repeated. Nothing is faked: doors, store, worker and connector are those of `intermediary run`, driven step by step.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from intermediary.audit.second_place import write_head
from intermediary.cli.options import say, say_wrapped, table
from intermediary.cli.quiet import quiet_logs
from intermediary.core.states import NachrichtState
from intermediary.operations.look import about_finding, explain
from intermediary.operations.prove import as_text, verify_installation
from intermediary.osci.write.letter import Letter
from intermediary.osci.write.seal import seal
from intermediary.store.owners import own_name
from intermediary.store.records import NachrichtRecord
from intermediary.testing.demo_proof import Comparison, compare_with_golden, golden_letter, golden_settings
from intermediary.testing.demo_site import MANDANT, SERVICE_WITHOUT_ROUTE, Site, is_demo, make_site
from intermediary.testing.samples import sample_letter
from intermediary.testing.tamper import Damage, tampered
from intermediary.wiring import (
    Configuration,
    Installation,
    all_answers,
    bench,
    open_doors,
    open_installation,
    utc_now,
)
from intermediary.worker import Worker

_PATIENCE_SECONDS = 30.0


@click.command("demo")
@click.option("--dir", "folder", default="demo", show_default=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--keep", is_flag=True, help="Refuse to overwrite an earlier demo.")
def command(folder: Path, keep: bool) -> None:
    """Show the whole path offline: keys, sealed samples, delivery, Quittungen, audit trail."""
    quiet_logs("error")  # what is shown here waits and is refused on purpose
    _clear(folder, keep=keep)
    started = time.monotonic()
    is_fine = Demo(folder).run()
    say(f"\nFertig in {time.monotonic() - started:.1f} s.")
    sys.exit(0 if is_fine else 1)


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the demo: its name, what it shows, and the state it must reach."""

    name: str
    shows: str
    expected: NachrichtState
    code: str = ""


_N = NachrichtState
GOLDEN = Sample("antrag-1.osci", "vollständiger Antrag mit Anlagen", _N.COMPLETED)
SECOND = Sample("antrag-2.osci", "zweiter Antrag", _N.COMPLETED)
FORGED = Sample("antrag-3.osci", "Inhalt nach Signatur verändert", _N.REJECTED, "osci.content-signature.invalid")
BROKEN = Sample("antrag-4.osci", "mehrere Fehler gegen das Schema", _N.REJECTED, "validate.input.invalid")
NO_ROUTE = Sample("antrag-5.osci", "Dienst ohne Route, nachgetragen", _N.COMPLETED)
RETRIED = Sample("antrag-6.osci", "Ablage zeitweise belegt", _N.COMPLETED)


class Demo:
    """One run in one folder; `run` returns whether everything came out as announced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._ids: dict[str, str] = {}

    def run(self) -> bool:
        say("1. Schlüssel, Konfiguration und Ordner anlegen …")
        site = make_site(self._folder, now=utc_now(), settings=golden_settings())
        installation = open_installation(site.config)
        try:
            return self._tell(site, installation)
        finally:
            installation.store.close()

    def _tell(self, site: Site, installation: Installation) -> bool:
        configuration = Configuration(installation.settings)
        worker = Worker(bench(installation, configuration, all_answers(installation.settings)), owner=own_name())

        say("2. Versiegelte Anträge in den Eingang legen …")
        self._drop_samples(site, installation)
        worker.drain()

        say("3. Derselbe Antrag kommt noch einmal (Doppel) …")
        self._drop(site, GOLDEN, (site.folder / "samples" / GOLDEN.name).read_bytes(), installation)
        duplicates = [e for e in installation.store.events(self._ids[GOLDEN.name]) if "duplicate" in e.event.name]

        say("4. Das Fachverfahren hat seine Ablage noch nicht geleert; beim nächsten Versuch ist Platz …")
        self._drop(site, RETRIED, self._sealed(site, sample_letter(6, now=utc_now())), installation)
        leftover = site.occupy(self._ids[RETRIED.name])
        worker.drain()
        leftover.unlink()

        say("5. Die fehlende Route wird nachgetragen …")
        waiting = installation.store.get(self._ids[NO_ROUTE.name])
        self._show_waiting(installation, waiting)
        site.add_missing_route(golden_settings())
        configuration.bank()
        installation.store.wake_misconfigured(utc_now())
        self._work_until_done(worker, installation)

        say("6. Das Audit versiegeln und prüfen …\n")
        head = installation.store.seal_heads(installation.signing.sign, now=utc_now())
        if head is not None:
            write_head(installation.settings.audit.heads_folder, head)
        is_fine = self._show_results(installation, was_waiting=waiting.wait_reason, duplicates=len(duplicates))
        golden = self._ids[GOLDEN.name]
        comparison = compare_with_golden(site.drop, golden, installation.store.get(golden).received_at)
        report = verify_installation(installation)
        self._show_places(site, comparison, as_text(report))
        return is_fine and comparison.is_equal and report.is_ok

    def _drop_samples(self, site: Site, installation: Installation) -> None:
        now = utc_now()
        parties = site.pki.parties
        self._drop(site, GOLDEN, self._sealed(site, golden_letter(now)), installation)
        self._drop(site, SECOND, self._sealed(site, sample_letter(2, now=now)), installation)
        forged = tampered(
            Damage.CONTENT_CHANGED, sample_letter(3, now=now), parties=parties, random=secrets.token_bytes, now=now
        )
        self._drop(site, FORGED, forged, installation)
        self._drop(site, BROKEN, self._sealed(site, sample_letter(4, now=now, is_broken=True)), installation)
        letter = sample_letter(5, now=now, service=SERVICE_WITHOUT_ROUTE)
        self._drop(site, NO_ROUTE, self._sealed(site, letter), installation)

    def _sealed(self, site: Site, letter: Letter) -> bytes:
        return seal(letter, parties=site.pki.parties, random=secrets.token_bytes, now=utc_now())

    def _drop(self, site: Site, sample: Sample, data: bytes, installation: Installation) -> None:
        """Put a file into the watched folder as a sender does (write aside, rename) and let the door take it."""
        samples = site.folder / "samples"
        samples.mkdir(exist_ok=True)
        (samples / sample.name).write_bytes(data)
        draft = site.inbox / f".{sample.name}.part"
        draft.write_bytes(data)
        draft.rename(site.inbox / sample.name)
        with _open_doors(installation):
            _wait_until(lambda: not (site.inbox / sample.name).exists())
        (taken,) = installation.store.find_by_message_id(MANDANT, sample.name)
        self._ids[sample.name] = taken.id

    def _work_until_done(self, worker: Worker, installation: Installation) -> None:
        def is_done() -> bool:
            worker.drain()
            return not any(installation.store.get(one).due_at for one in self._ids.values())

        _wait_until(is_done)

    def _show_waiting(self, installation: Installation, nachricht: NachrichtRecord) -> None:
        store = installation.store
        explanation = explain(nachricht, store.zustellungen(nachricht.id), utc_now())
        say_wrapped(explanation.lines, indent=5)

    def _show_results(self, installation: Installation, *, was_waiting: str, duplicates: int) -> bool:
        rows: list[tuple[str, ...]] = []
        is_fine = was_waiting == "route.missing" and duplicates == 1
        findings: list[str] = []
        for sample in (GOLDEN, SECOND, FORGED, BROKEN, NO_ROUTE, RETRIED):
            nachricht = installation.store.get(self._ids[sample.name])
            zustellungen = installation.store.zustellungen(nachricht.id)
            is_fine &= nachricht.state is sample.expected and sample.code in ("", nachricht.verdict_code)
            remark = nachricht.verdict_code
            if sample is GOLDEN:
                remark = f"kam {duplicates + 1}-mal, einmal zugestellt"
            elif sample is NO_ROUTE:
                remark = f"wartete: {was_waiting}"
            elif sample is RETRIED:
                attempts = zustellungen[0].attempts
                is_fine &= attempts >= 2
                remark = f"{attempts} Versuche"
            elif sample is BROKEN:
                found = nachricht.plan.get("findings", [])
                is_fine &= len(found) >= 3
                remark += f" ({len(found)})"
                findings = [line for one in found for line in about_finding(one)]
            rows.append((sample.name, sample.shows, nachricht.state.value, remark, nachricht.id[:8]))
        table(rows, ("Datei", "zeigt", "Ergebnis", "Bemerkung", "Id"))
        say(f"\nAlle Befunde zu {BROKEN.name}, wie sie auch in der Quittung stehen:")
        say_wrapped(findings, indent=2)
        return is_fine

    def _show_places(self, site: Site, comparison: Comparison, audit: str) -> None:
        packages = sorted(path.name for path in site.drop.glob("*.zip"))
        say(f"\nPakete ({len(packages)}):     {site.drop}")
        say(f"Quittungen ({len(list(site.answers.glob('*.json')))}): {site.answers}")
        say(f"Audit:          {site.folder / 'data'} (Köpfe: {site.folder / 'audit-heads'})")
        say_wrapped([audit], indent=16)
        say(f"Goldene Ausgabe: {comparison.text()}")
        config = _shown(site.config)
        say("\nWeiter mit (ohne aktiviertes .venv: .venv/bin/intermediary …):")
        say(f"  intermediary list -c {config}")
        say(f"  intermediary explain {self._ids[BROKEN.name][:8]} -c {config}")
        say(f"  intermediary show {self._ids[GOLDEN.name][:8]} -c {config}")
        say(f"  intermediary replay {self._ids[GOLDEN.name][:8]} --dry-run -c {config}")


@contextmanager
def _open_doors(installation: Installation) -> Iterator[None]:
    doors = open_doors(installation)
    threads = [threading.Thread(target=door.run, daemon=True) for door in doors]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for door, thread in zip(doors, threads, strict=True):
            door.stop()
            thread.join()


def _wait_until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    end = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the demo did not come to its end; the state of its messages tells where it stands")
        pause.wait(0.02)


def _clear(folder: Path, *, keep: bool) -> None:
    """Only what an earlier demo made is removed."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if keep or not is_demo(folder):
        raise click.UsageError(f"{folder} is not empty; name another folder with --dir")
    shutil.rmtree(folder)


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
