"""The connector `eakte_ordner`: the conformance suite, its answers, and what must not happen with them."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors.eakte_xdomea import filing
from connectors.eakte_xdomea.connector import EAKTE_ORDNER, ORDNER_MANIFEST
from connectors.ordner.folder import opened
from connectors.ordner.lock import alone
from intermediary.connect.settings import describe_settings
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, Refused
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing import connectors as kit
from intermediary.testing.connectors import CHECKS, NOW, Check, make_auftrag, recover
from tests.conformance.eakte_target import OBJECT, EakteTarget, Imported, confirmation, handed_over, receipt, zipped

LATER = NOW + timedelta(hours=1)
OTHER = "0b1ec7b8-0000-4000-8000-000000000001"
CODE = Path(__file__).resolve().parents[2] / "connectors"  # the hand-over's own lines, too
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "answering at once": {"answers_at_once": True},
}


@pytest.fixture
def target(tmp_path: Path) -> EakteTarget:
    return EakteTarget(tmp_path / "eakte")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
def test_conforms(check: Check, variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connector keeps the contract of its port, in each of its variants, killed in its own code and the hand-over's."""
    monkeypatch.setattr(kit, "code_of", lambda connector: CODE)
    check(lambda name: EakteTarget(tmp_path / name, **VARIANTS[variant]))


def test_hand_over_is_awaited_until_its_deadline(target: EakteTarget) -> None:
    """The proof of the hand-over is the correlation; look-up says the same."""
    auftrag = make_auftrag(data=b"12345")
    awaiting = target.connect().deliver(auftrag, Checkpoints(), NOW)
    expected = {
        "file_name": auftrag.package.file_name,
        "sha256": hashlib.sha256(b"12345").hexdigest(),
        "length": "5",
    }

    assert Awaiting(NOW + timedelta(hours=24), expected) == awaiting
    assert awaiting == target.connect().lookup(auftrag.key, Checkpoints(), LATER)
    assert target.connect().collect(auftrag.key, expected, LATER) is None


def test_import_confirmation_is_the_verdict(target: EakteTarget) -> None:
    """All objects imported: delivered, with hashes as proof; the answer is archived byte for byte, once."""
    auftrag, correlation = handed_over(target)
    answer = confirmation(auftrag.nachricht_id, Imported(), Imported(id=OTHER))
    target.answer(answer)
    verdict = target.connect().collect(auftrag.key, correlation, LATER)

    assert verdict == Delivered(
        {
            **correlation,
            "answer": "0402",
            "answer_sha256": hashlib.sha256(answer).hexdigest(),
            "objects": "2",
            "objects_sha256": hashlib.sha256(f"{OTHER}\n{OBJECT}".encode()).hexdigest(),
        }
    )
    assert [] == target.names("answers")
    assert [f"{auftrag.key}.answer.1"] == target.names("archive")
    assert answer == (target["archive"] / f"{auftrag.key}.answer.1").read_bytes()
    assert verdict == target.connect().collect(auftrag.key, correlation, LATER)


def test_receipt_keeps_awaiting_and_is_in_the_proof(target: EakteTarget) -> None:
    """0403 is no verdict; with the 0402 after it, both are in the proof."""
    auftrag, correlation = handed_over(target)
    target.answer(receipt(auftrag.nachricht_id))

    assert target.connect().collect(auftrag.key, correlation, LATER) is None
    target.answer(confirmation(auftrag.nachricht_id, Imported()))
    verdict = target.connect().collect(auftrag.key, correlation, LATER)
    assert isinstance(verdict, Delivered)
    assert ("0402", "0403") == (verdict.proof["answer"], verdict.proof["receipt"])
    assert hashlib.sha256(receipt(auftrag.nachricht_id)).hexdigest() == verdict.proof["receipt_sha256"]


def test_one_failed_object_refuses_with_the_codes(target: EakteTarget) -> None:
    """A partial import is a refusal; codes are named, free text never leaves the answer."""
    auftrag, correlation = handed_over(target)
    failures = (
        Imported(),
        Imported(False, ["E4711", "E0815"], "Akte von Erika Musterfrau gesperrt", id=OTHER),
        Imported("0", ["Erika Musterfrau"], id=OTHER.replace("1", "2")),
    )
    target.answer(confirmation(auftrag.nachricht_id, *failures))
    verdict = target.connect().collect(auftrag.key, correlation, LATER)

    assert isinstance(verdict, Refused)
    assert "E0815,E4711,unspecified" == verdict.reason
    assert ("3", "2") == (verdict.proof["objects"], verdict.proof["failed"])
    assert "Musterfrau" not in repr(verdict)
    assert verdict == target.connect().collect(auftrag.key, correlation, LATER)


def test_refusal_without_codes_is_unspecified(target: EakteTarget) -> None:
    """An e-file that only writes prose gives no reason that may be passed on."""
    auftrag, correlation = handed_over(target)
    target.answer(confirmation(auftrag.nachricht_id, Imported(False, text="Erika Musterfrau fehlt")))
    verdict = target.connect().collect(auftrag.key, correlation, LATER)

    assert isinstance(verdict, Refused)
    assert "unspecified" == verdict.reason


@pytest.mark.parametrize("version", ["2.3.0", "2.4.0", "3.0.0", "3.1.0", "4.0.0"])
@pytest.mark.parametrize("pack", [lambda data: data, zipped, lambda data: zipped(data, bild=b"\x89PNG")])
def test_answers_come_as_xml_or_zip_in_any_version(
    target: EakteTarget, version: str, pack: Callable[[bytes], bytes]
) -> None:
    """The form of the file and the version of xdomea do not matter, nor the case of the ProzessID."""
    auftrag, correlation = handed_over(target)
    target.answer(pack(confirmation(auftrag.nachricht_id.upper(), Imported("1"), version=version)))

    assert isinstance(target.connect().collect(auftrag.key, correlation, LATER), Delivered)


def test_answer_before_our_own_commit_is_kept(target: EakteTarget) -> None:
    """The e-file answers before we know ourselves that we handed over; another Zustellung's look does not lose it."""
    other, correlation = handed_over(target, 2)
    auftrag = make_auftrag(1)
    target.connect().deliver(auftrag, Checkpoints(), NOW)  # and here the process dies: nobody has committed `awaiting`
    target.consume()
    target.answer(confirmation(auftrag.nachricht_id, Imported()))

    assert target.connect().collect(other.key, correlation, LATER) is None
    assert [] == target.names("unmatched")
    found = target.connect().lookup(auftrag.key, Checkpoints(), LATER)
    assert isinstance(found, Awaiting)
    assert isinstance(target.connect().collect(auftrag.key, found.correlation, LATER), Delivered)


def test_answers_find_their_own(target: EakteTarget) -> None:
    """Fifty packages, answered in reverse order: each verdict belongs to its package."""
    handed = [handed_over(target, number) for number in range(1, 51)]
    for number, (auftrag, _) in reversed(list(enumerate(handed))):
        target.answer(confirmation(auftrag.nachricht_id, Imported(number % 3 != 0, [f"E{number}"])))
    for number, (auftrag, correlation) in enumerate(handed):
        verdict = target.connect().collect(auftrag.key, correlation, LATER)
        expected = Delivered if number % 3 else Refused
        assert isinstance(verdict, expected)
        if isinstance(verdict, Refused):
            assert f"E{number}" == verdict.reason

    assert ([], [], 50) == (target.names("answers"), target.names("unmatched"), len(target.names("archive")))


def test_second_copy_of_an_answer_changes_nothing(target: EakteTarget) -> None:
    """The same 0402 again, before or after the verdict, is archived and gives the same answer."""
    auftrag, correlation = handed_over(target)
    for _ in range(2):
        target.answer(confirmation(auftrag.nachricht_id, Imported()))
    verdict = target.connect().collect(auftrag.key, correlation, LATER)
    target.answer(confirmation(auftrag.nachricht_id, Imported(), created="2026-11-22T00:00:00+01:00"))
    _sweep(target)

    assert isinstance(verdict, Delivered)
    assert verdict == target.connect().collect(auftrag.key, correlation, LATER)
    assert ([], [], 3) == (target.names("answers"), target.names("unmatched"), len(target.names("archive")))


def test_late_contradiction_is_set_aside(target: EakteTarget) -> None:
    """What says the opposite of a verdict does not change it, and a person sees it."""
    auftrag, correlation = handed_over(target)
    target.answer(confirmation(auftrag.nachricht_id, Imported(False, ["E1"])))
    verdict = target.connect().collect(auftrag.key, correlation, LATER)
    target.answer(confirmation(auftrag.nachricht_id, Imported()), "spaet.xml")
    _sweep(target)

    assert ["spaet.xml"] == target.names("unmatched")
    assert verdict == target.connect().collect(auftrag.key, correlation, LATER)


@pytest.mark.parametrize(("taken_away", "verdict"), [(1, Delivered), (2, Refused)])
def test_two_answers_that_contradict_each_other_are_unclear(
    target: EakteTarget, taken_away: int, verdict: type[object]
) -> None:
    """An e-file that says yes and no is not believed either, by look-up neither, until a person takes one away."""
    auftrag, correlation = handed_over(target)
    target.answer(confirmation(auftrag.nachricht_id, Imported(False)))
    target.answer(confirmation(auftrag.nachricht_id, Imported()))
    for ask in (
        lambda: target.connect().collect(auftrag.key, correlation, LATER),
        lambda: target.connect().lookup(auftrag.key, Checkpoints(), LATER),
    ):
        with pytest.raises(Unclear):
            ask()
    (target["archive"] / f"{auftrag.key}.answer.{taken_away}").unlink()

    assert isinstance(target.connect().collect(auftrag.key, correlation, LATER), verdict)


def test_redelivery_under_the_same_prozess_id_gets_its_own_answer(target: EakteTarget) -> None:
    """Refused, redelivered, accepted: the answer to the first is not the answer to the second, also as a late copy."""
    first, correlation = handed_over(target)
    refusal = confirmation(first.nachricht_id, Imported(False, ["E1"]))
    target.answer(refusal)
    assert isinstance(target.connect().collect(first.key, correlation, LATER), Refused)
    second = _redelivered(target, first)
    target.answer(refusal)

    assert target.connect().collect(second.key, correlation, LATER) is None
    target.answer(confirmation(first.nachricht_id, Imported(), created="2026-11-22T00:00:00+01:00"))
    assert isinstance(target.connect().collect(second.key, correlation, LATER), Delivered)
    assert isinstance(target.connect().collect(first.key, correlation, LATER), Refused)
    assert [] == target.names("unmatched")


def test_answer_that_lay_there_before_a_redelivery_belongs_to_the_first(target: EakteTarget) -> None:
    """Nobody had looked yet: the redelivery files it before its own package can be seen."""
    first, correlation = handed_over(target)
    target.answer(confirmation(first.nachricht_id, Imported(False, ["E1"])))
    second = _redelivered(target, first)

    assert target.connect().collect(second.key, correlation, LATER) is None
    assert isinstance(target.connect().collect(first.key, correlation, LATER), Refused)


def test_answer_after_two_unanswered_packages_is_unclear(target: EakteTarget) -> None:
    """A person confirmed the first without an answer: one that comes now may be meant for either."""
    first, correlation = handed_over(target)
    second = _redelivered(target, first)
    target.answer(confirmation(first.nachricht_id, Imported()))
    for ask in (
        lambda: target.connect().collect(second.key, correlation, LATER),
        lambda: target.connect().lookup(second.key, Checkpoints(), LATER),
    ):
        with pytest.raises(Unclear):
            ask()


def test_redelivery_waits_while_somebody_files(target: EakteTarget) -> None:
    """Filing is not skipped before a redelivery: its package stays here, for certain unsent."""
    first, _ = handed_over(target)
    with filing_elsewhere(target), pytest.raises(Transient) as raised:
        _redelivered(target, first)

    assert "target.busy" == raised.value.code
    assert [] == target.names("drop")


def test_collecting_while_somebody_files_waits_for_the_next_look(target: EakteTarget) -> None:
    """Only one files at a time; the others see what is there and come again."""
    auftrag, correlation = handed_over(target)
    target.answer(confirmation(auftrag.nachricht_id, Imported()))
    with filing_elsewhere(target):
        assert target.connect().collect(auftrag.key, correlation, LATER) is None

    assert isinstance(target.connect().collect(auftrag.key, correlation, LATER), Delivered)


@pytest.mark.parametrize("missing", ["drop", "state", "answers", "archive", "unmatched"])
def test_missing_folder_waits_for_the_operator(target: EakteTarget, missing: str) -> None:
    """Nothing is sent while any folder is missing, and none is made."""
    target[missing].rmdir()
    with pytest.raises(Misconfigured):
        target.connect().deliver(make_auftrag(), Checkpoints(), NOW)

    assert not target[missing].exists()
    assert missing == "drop" or [] == target.names("drop")


@pytest.mark.parametrize("name", ["antrag.zip", "x_Abgabe.Abgabe.0401.zip", f"{OTHER}", f"{OTHER}_", f"{OTHER}.zip"])
def test_package_without_a_prozess_id_is_not_sent(target: EakteTarget, name: str) -> None:
    """Its answer could never be matched: the mapping makes no xdomea package."""
    auftrag = make_auftrag()
    with pytest.raises(Misconfigured) as raised:
        target.connect().deliver(replace(auftrag, package=replace(auftrag.package, file_name=name)), Checkpoints(), NOW)

    assert "package.file_name" == raised.value.where
    assert ([], []) == (target.names("drop"), target.names("state"))


def test_unsafe_keys_are_refused(target: EakteTarget) -> None:
    """A key that is no UUID never becomes a file name."""
    auftrag = replace(make_auftrag(), key="../../etc/x")
    for ask in (
        lambda: target.connect().deliver(auftrag, Checkpoints(), NOW),
        lambda: target.connect().lookup(auftrag.key, Checkpoints(), NOW),
        lambda: target.connect().collect(auftrag.key, {"file_name": auftrag.package.file_name}, NOW),
    ):
        with pytest.raises(ValueError, match="UUID"):
            ask()

    assert [] == target.names("state")


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename", "stat", "listdir", "rename_new"])
def test_failing_calls_while_collecting_lose_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: int
) -> None:
    """Whichever call fails, with whatever error: no false verdict, and the right one when the disk is well again."""
    for number in count(1):
        target = EakteTarget(tmp_path / str(number))
        auftrag, correlation = handed_over(target)
        answers = [receipt(auftrag.nachricht_id), confirmation(auftrag.nachricht_id, Imported())]
        for data in answers:
            target.answer(data)
        place = filing if call == "rename_new" else os
        failing = _Failing(getattr(place, call), number, error)
        with monkeypatch.context() as patch, suppress(Transient, Misconfigured):
            patch.setattr(place, call, failing)
            verdict = target.connect().collect(auftrag.key, correlation, LATER)
            assert verdict is None or isinstance(verdict, Delivered)
        verdict = target.connect().collect(auftrag.key, correlation, LATER)

        assert isinstance(verdict, Delivered), f"call {number}"
        assert sorted(answers) == sorted(path.read_bytes() for path in target["archive"].iterdir()), f"call {number}"
        if not failing.has_failed:
            return


@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename"])
def test_full_disk_while_handing_over_makes_one_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """No space at the n-th call: the drop holds the package or nothing, and it heals by itself."""
    for number in count(1):
        target, auftrag = EakteTarget(tmp_path / str(number)), make_auftrag()
        failing = _Failing(getattr(os, call), number, errno.ENOSPC)
        with monkeypatch.context() as patch, suppress(Transient, Unclear):
            patch.setattr(os, call, failing)
            target.connect().deliver(auftrag, Checkpoints(), NOW)
        assert target.arrived() in ([], target.expects(auftrag)), f"call {number}"
        recover(target.connect(), auftrag)

        assert target.expects(auftrag) == target.arrived(), f"call {number}"
        if not failing.has_failed:
            return


def test_entry_point_names_the_factory() -> None:
    """The manifest, the settings and their help texts are complete."""
    keys = [setting.key for setting in describe_settings(EAKTE_ORDNER.settings_type)]

    assert ORDNER_MANIFEST is EAKTE_ORDNER.manifest
    assert ["drop", "state", "answers"] == keys[:3]
    assert {"answers.folder", "answers.archive", "answers.unmatched", "answers.deadline_hours"} < set(keys)


def test_readme_names_every_setting_and_only_known_codes(project: Path) -> None:
    """The README has a line for each setting and its default, and no code that the catalogue does not know."""
    text = (project / "connectors/eakte_xdomea/README.md").read_text(encoding="utf-8")
    for setting in describe_settings(EAKTE_ORDNER.settings_type):
        if setting.type != "table":
            assert f"| `{setting.key}` |" in text
    last = text[text.index("## Fehler") :]
    codes = set(re.findall(r"^\| `([a-z.]+)` \|", last, re.MULTILINE))

    assert {"target.answer.unmatched", "delivery.ack.overdue", "delivery.unclear"} < codes
    assert codes <= set(CATALOGUE)


def _redelivered(target: EakteTarget, first: Zustellauftrag) -> Zustellauftrag:
    """The same package under a new key, as a person's redelivery is."""
    second = replace(first, key=make_auftrag(1000).key)
    target.connect().deliver(second, Checkpoints(), LATER)
    target.consume()
    return second


def _sweep(target: EakteTarget) -> None:
    """Another Zustellung's look: every one files what it finds."""
    other, correlation = handed_over(target, 99)
    target.connect().collect(other.key, correlation, LATER)


@contextmanager
def filing_elsewhere(target: EakteTarget) -> Iterator[None]:
    """Somebody else is filing answers meanwhile."""
    with opened(target["state"], "state") as state, alone(state, "answers"):
        yield


class _Failing:
    """A call that fails from its n-th use on, as on a disk that fills up or goes away."""

    def __init__(self, real: Callable[..., Any], number: int, error: int) -> None:
        self._real, self._left, self._error = real, number, error

    @property
    def has_failed(self) -> bool:
        return self._left <= 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self._left -= 1
        if self.has_failed:
            raise OSError(self._error, os.strerror(self._error))
        return self._real(*arguments, **named)
