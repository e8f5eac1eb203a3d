"""`open`: opens sealed messages offline and says what is in them; the operator's tool, which may explain (rule R3)."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

if TYPE_CHECKING:
    from intermediary.cli.opened import Verdict
    from intermediary.core.values import Opened
    from intermediary.keys.ring import Keyring
    from intermediary.unseal import Policy
    from intermediary.unseal.circumstances import Circle

_Role = Literal["passive", "client", "any"]

_PIECE_BYTES = 1 << 20


@click.command("open")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, path_type=Path))
@click.option("--keys", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Keyring (RING.toml).")
@click.option("--at", "at_text", metavar="TIME", help="Moment of receipt, ISO 8601 with zone; default: now.")
@click.option(
    "--policy", type=click.Choice(["strict", "osci", "legacy"]), help="Crypto profile; default: the keyring's."
)
@click.option(
    "--partners",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Partner directory (partners.toml).",
)
@click.option("--partner", metavar="KENNUNG", help="Whose channel it came through; needs --partners.")
@click.option(
    "--as", "role", type=click.Choice(["passive", "client", "any"]), default="any", help="Whose messages to take."
)
@click.option("--extract", type=click.Path(file_okay=False, path_type=Path), help="Folder to write what was opened to.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file and line.")
def command(
    files: tuple[Path, ...],
    keys: Path | None,
    at_text: str | None,
    policy: str | None,
    partners: Path | None,
    partner: str | None,
    role: str,
    extract: Path | None,
    *,
    as_json: bool,
) -> None:
    """Open sealed messages offline.

    Exit code 0 when every file was accepted, 1 when one was rejected, 2 for wrong usage or configuration.
    """
    from intermediary.cli import opened as report
    from intermediary.keys.ring import Keyring
    from intermediary.unseal import profile

    at = _moment(at_text)
    keyring = Keyring.load(keys) if keys else Keyring()
    rules = profile(policy) if policy else profile(keyring.policy, until=keyring.policy_until)
    circle = _circle(partners, partner)
    if extract is not None:
        _prepare(extract)
    accepted = True
    for number, file in enumerate(files, start=1):
        verdict = _open(file, keyring, rules, at, cast(_Role, role), circle)
        if extract is not None and verdict.is_accepted and verdict.opened is not None:
            _extract(verdict, verdict.opened, extract, number)
        click.echo(report.as_json(verdict) if as_json else report.as_text(verdict))
        accepted = accepted and verdict.is_accepted
    sys.exit(0 if accepted else 1)


def _circle(file: Path | None, kennung: str | None) -> Circle:
    from intermediary.keys.partners import Partners
    from intermediary.unseal.circumstances import Circle

    if file is None:
        if kennung is not None:
            raise click.BadParameter("name the directory with --partners", param_hint="--partner")
        return Circle()
    partners = Partners.load(file)
    return Circle(partners, None if kennung is None else partners.named(kennung))


def _open(file: Path, keyring: Keyring, policy: Policy, at: datetime, role: _Role, circle: Circle) -> Verdict:
    from intermediary.cli.opened import Verdict
    from intermediary.core.faults import Rejected
    from intermediary.keys.spool import Spool
    from intermediary.unseal import NotOpened, unseal
    from intermediary.unseal.formats import detect

    if file.is_dir():
        return Verdict(str(file), None, "intake.type.unknown")
    spool = Spool(Path(tempfile.gettempdir()))
    with file.open("rb") as stream:
        raw = spool.copy(stream, max_bytes=sys.maxsize)
    with raw.open() as stream:
        head = stream.read(1024)
    try:
        opened = unseal(
            raw,
            content_type=detect(head),
            keyring=keyring,
            policy=policy,
            at=at,
            role=role,
            circle=circle,
            spool=spool,
        )
    except NotOpened as fault:
        return Verdict(str(file), fault.known, fault.code, fault.where, fault.osci_code, fault.findings)
    except Rejected as fault:
        return Verdict(str(file), None, fault.code, fault.where, findings=fault.findings)
    return Verdict(str(file), opened)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("not an ISO 8601 time", param_hint="--at") from None
    if moment.tzinfo is None:
        raise click.BadParameter("a zone is missing, e.g. +01:00 or Z", param_hint="--at")
    return moment


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise click.BadParameter("the folder is not empty", param_hint="--extract")


def _extract(verdict: Verdict, opened: Opened, folder: Path, number: int) -> None:
    """Writes every part under a name of ours; the sender's names are never paths (threat T11)."""
    from intermediary.cli.opened import key_of

    for position, part in enumerate((*opened.contents, *opened.attachments), start=1):
        with part.content.open() as source:
            head = source.read(64)
            kind = "inhalt" if part.kind == "data" else "anhang"
            name = f"{number:04}-{position:04}-{kind}{_suffix(head)}"
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as target:
                target.write(head)
                shutil.copyfileobj(source, target, _PIECE_BYTES)
        verdict.extracted[key_of(part)] = name


def _suffix(head: bytes) -> str:
    if head.startswith(b"%PDF-"):
        return ".pdf"
    return ".xml" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") else ".bin"
