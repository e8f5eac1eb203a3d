"""Judges a backup: is it whole and ours, does every payload open, does its audit trail hold, and what was after it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from intermediary.audit.chain import moment
from intermediary.audit.sealer import Head
from intermediary.audit.second_place import read_heads
from intermediary.audit.verify import Restored, fingerprint, verify
from intermediary.core.faults import Fault, Transient
from intermediary.keys.signing import SigningKey
from intermediary.operations import vault as vaults
from intermediary.operations.prove import compare_snapshot
from intermediary.operations.vault import Vault
from intermediary.settings.models import Settings
from intermediary.store.database import Database
from intermediary.store.pour import Watch
from intermediary.store.restore import Doubtful, Loss, count_doubtful
from intermediary.store.store import Store
from intermediary.wiring import SIGNING_KEY, installation_id, mandant_keys

_MOST = 20


@dataclass(frozen=True, slots=True)
class Scene:
    """A run in its vault, and the installation it would come back to; `rows` is None when they do not open (`why`)."""

    settings: Settings
    vault: Vault
    run: str
    folder: Path
    keys_file: Path
    rows: Database | None
    why: str

    def payloads(self) -> list[str]:
        """The names of the payloads that belong to it, without those that were erased while it was made."""
        manifest, _sha256 = vaults.read_manifest(self.folder)
        gone = set(manifest.get("gone", []))
        names = (self.folder / vaults.BLOBS).read_text(encoding="utf-8").split()
        return [name for name in names if name not in gone]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check, German."""

    verdict: Literal["ok", "warning", "bad"]
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found; `loss` is what came after the backup, `doubtful` what would have to be asked for."""

    manifest: dict[str, Any]
    manifest_sha256: str
    findings: tuple[Finding, ...]
    loss: Loss
    doubtful: Doubtful | None

    @property
    def is_usable(self) -> bool:
        """Whether a restore may begin."""
        return not self.flaws

    @property
    def flaws(self) -> list[str]:
        """What forbids it."""
        return [one.text for one in self.findings if one.verdict == "bad"]


def check(scene: Scene, *, watch: Watch) -> Checked:
    """Everything; `Misconfigured("backup.unusable")` when there is not even a manifest."""
    manifest, sha256 = vaults.read_manifest(scene.folder)
    elsewhere = _heads_elsewhere(scene.settings)
    pems = _public_keys(scene)
    findings = [
        *_whole(scene, manifest),
        *_ours(scene, manifest, pems),
        *([] if scene.rows is not None else [Finding("bad", f"die Zeilen lassen sich nicht öffnen: {scene.why}")]),
    ]
    loss, doubtful = Loss(0, 0), None
    if scene.rows is not None:
        if scene.keys_file.is_file():  # without the keys none opens, and one finding has said so
            findings += _payloads(scene, scene.rows, watch)
        trail, restored = _trail(scene.rows, pems, elsewhere or (), watch)
        findings += trail
        loss = _loss(manifest, scene.rows, pems, elsewhere or (), restored)
        doubtful = count_doubtful(scene.rows)
    if elsewhere is None:
        text = (
            "der zweite Ort (audit.heads_folder) ist nicht lesbar: was nach der Sicherung geschah, ist nicht beweisbar"
        )
        findings.append(Finding("warning", text))
    return Checked(manifest, sha256, tuple(findings), loss, doubtful)


def _whole(scene: Scene, manifest: dict[str, Any]) -> Iterator[Finding]:
    """Every file as the manifest says, and no other one."""
    found, told = vaults.hashes(scene.folder), manifest.get("files", {})
    wrong = sorted(name for name in found.keys() | told.keys() if found.get(name) != told.get(name))
    for name in wrong[:_MOST]:
        yield Finding("bad", f"{name}: {'fehlt' if name not in found else 'stimmt nicht mit dem Manifest überein'}")
    if not scene.keys_file.is_file():
        yield Finding(
            "bad",
            f"die Datenschlüssel {scene.keys_file} fehlen: ihre Frist ({vaults.KEY_DAYS} Tage) ist um, oder sie liegen "
            "anderswo (--keys)",
        )
    else:
        keys = {name: manifest["keys"][name] for name in ("sha256", "length")}
        if vaults.digest(scene.keys_file) != keys:
            yield Finding("bad", f"{scene.keys_file.name}: stimmt nicht mit dem Manifest überein")
    if not wrong:
        yield Finding("ok", f"{len(told)} Dateien wie im Manifest")


def _ours(scene: Scene, manifest: dict[str, Any], pems: list[bytes]) -> Iterator[Finding]:
    """Signed by this installation's audit key, of this installation, and openable with the KEKs that are configured."""
    own = scene.settings.installation.name
    if manifest["installation"]["id"] != str(installation_id(own)):
        yield Finding("bad", f"eine Sicherung von {manifest['installation']['name']}, nicht von {own}")
    key = manifest["audit"]["key"]
    here = _own_keys(scene.settings)
    if vaults.is_signed(scene.folder, here):
        yield Finding("ok", f"unterschrieben mit dem Schlüssel {key[:16]} dieser Installation")
    elif vaults.is_signed(scene.folder, pems):
        text = f"unterschrieben mit {key[:16]}, den nur die Sicherung selbst kennt: mit der eigenen Notiz vergleichen"
        yield Finding("warning", text)
    else:
        yield Finding("bad", "die Unterschrift des Manifests passt zu keinem Schlüssel")
    try:
        keks = mandant_keys(scene.settings)
    except Fault as fault:
        yield Finding("bad", f"KEK: {fault.code} {fault.where}")
        return
    for mandant, needed in sorted(manifest["needed"]["keks"].items()):
        ids = {one.hex() for one in keks.ids(mandant)} if mandant in keks.mandanten() else set()
        if not set(needed["ids"]) <= ids:
            yield Finding(
                "warning", f"nicht alle KEKs von {mandant} sind da (gesichert mit {', '.join(needed['files'])})"
            )


def _payloads(scene: Scene, rows: Database, watch: Watch) -> Iterator[Finding]:
    """Every payload is read to its end: it is there, its key opens it, and its bytes are those of the intake."""
    store = Store(rows)
    manifest, _sha256 = vaults.read_manifest(scene.folder)
    gone = {name.partition(".")[0] for name in manifest.get("gone", [])}
    good, bad = 0, []
    for nachricht in watch(store.find(), "payloads", int(manifest["nachrichten"])):
        if nachricht.payload != "present" or nachricht.id in gone:
            continue
        try:
            with store.body(nachricht.id).open() as body:
                while body.read(1 << 20):
                    pass
        except Fault as fault:
            bad.append(f"{nachricht.id}: {fault.code}")
        else:
            good += 1
    for one in bad[:_MOST]:
        yield Finding("bad", f"Nachricht {one}")
    if len(bad) > _MOST:
        yield Finding("bad", f"… und {len(bad) - _MOST} weitere Nachrichten")
    yield Finding("ok", f"{good} Nutzdaten geöffnet und mit der Prüfsumme der Annahme verglichen")
    if gone:
        yield Finding("ok", f"{len(gone)} wurden gelöscht, während die Sicherung lief")


def _trail(
    rows: Database, pems: list[bytes], elsewhere: Iterable[Head], watch: Watch
) -> tuple[list[Finding], tuple[Restored, ...]]:
    """The audit trail up to its own last head, against the second place as far as that reaches."""
    with Store(rows).audit_snapshot() as snapshot:
        size = max((head.size for head in snapshot.heads), default=0)
        report = verify(
            watch(snapshot.lines, "audit", 0),
            snapshot.heads,
            pems,
            second_place=[head for head in elsewhere if head.size <= size],
            ends=snapshot.ends,
        )
        problems = [*report.problems, *compare_snapshot(snapshot)]
    if problems:
        return [Finding("bad", f"Audit: {problems[0].defect.value} ({len(problems)} Mängel)")], report.restored
    text = f"Audit unversehrt: {report.events} Ereignisse, {report.sealed} unter signierten Köpfen"
    return [Finding("ok", text)], report.restored


def _loss(
    manifest: dict[str, Any],
    rows: Database,
    pems: list[bytes],
    elsewhere: Iterable[Head],
    restored: tuple[Restored, ...],
) -> Loss:
    """Heads elsewhere that reach further prove what is lost; what an earlier restore lost is told already."""
    size = int(manifest["audit"]["size"])
    own = {head.digest() for head in Store(rows).heads()}
    later = [
        head
        for head in elsewhere
        if head.size > size
        and head.digest() not in own
        and not any(one.explains(head) for one in restored)
        and vaults.is_of(head.signature, head.signed(), pems)
    ]
    if not later:
        return Loss(size, size)
    last = max(later, key=lambda head: (head.size, head.at))
    return Loss(size, last.size, last.digest(), moment(max(head.at for head in later)))


def _heads_elsewhere(settings: Settings) -> tuple[Head, ...] | None:
    try:
        heads = read_heads(settings.audit.heads_folder)
    except Transient:
        return None
    return tuple(one for one in heads if one.installation == str(installation_id(settings.installation.name)))


def _own_keys(settings: Settings) -> list[bytes]:
    """The public keys this host knows without the backup."""
    found = []
    for file in settings.audit.previous_keys:
        try:
            pem = file.read_bytes()
            fingerprint(pem)
        except (OSError, ValueError):
            continue
        found.append(pem)
    try:
        found.append(SigningKey(settings.installation.data / SIGNING_KEY).public_pem())
    except Fault:
        pass
    return found


def _public_keys(scene: Scene) -> list[bytes]:
    """All that may have signed heads: of this host, and what the backup brings along."""
    found = _own_keys(scene.settings)
    for file in sorted((scene.folder / vaults.PUBLIC).glob("*.pem")):
        pem = file.read_bytes()
        if pem not in found:
            found.append(pem)
    return found
