"""The process in which `mapping lint` runs golden cases and watches what the mapping touches: never imported, only started.

    python -m intermediary.testing.workbench.lint.witness ADDRESS NAME

Prints JSON: a hash of everything that came out per case, and what was touched while the mapping had the word.
"""

from __future__ import annotations

import hashlib
import json
import sys
import sysconfig
from pathlib import Path

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.operations.mapping_places import Place, places
from intermediary.testing.golden import Case, cases_in

_TOUCHING = ("os.", "socket.", "subprocess.", "shutil.", "tempfile.", "urllib.", "ctypes.", "sqlite3.", "http.", "ftplib.",
             "mmap.", "fcntl.", "signal.", "pty.", "_thread.", "glob.", "pathlib.")  # fmt: skip
_NAMED = ("open", "time.sleep", "builtins.input", "sys.settrace", "sys.setprofile", "syslog.syslog")
_CAGE = "intermediary.xml.cage.cage"
_FREE = ("os.putenv", "os.unsetenv", "os.fwalk")


class _Watch:
    """An audit hook with a switch: Python has no way to take one off again."""

    def __init__(self) -> None:
        self.is_on = False
        self.touched: dict[str, str] = {}
        self._known = tuple(str(Path(path).resolve()) for path in {*sysconfig.get_paths().values(), *sys.path} if path)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.is_on or not (event in _NAMED or event.startswith(_TOUCHING)) or event in _FREE:
            return
        if _is_of_the_cage():
            return
        what = str(arguments[0]) if arguments and isinstance(arguments[0], str | bytes) else ""
        if event in ("open", "os.listdir", "os.scandir") and self._is_import(what):
            return
        self.touched.setdefault(f"im Lauf berührt: {event} {what}".rstrip(), "")

    def _is_import(self, path: str) -> bool:
        """Python itself looks for modules that are imported late."""
        return path.endswith((".py", ".pyc", ".so")) or (Path(path).is_dir() and path.startswith(self._known))


def _is_of_the_cage() -> bool:
    """Whether it is the cage that starts its child: a stylesheet of a mapping runs there, and reaches nothing."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") != _CAGE:
        frame = frame.f_back
    return frame.f_globals.get("__name__") == _CAGE


def main(address: str, name: str) -> None:
    """Run every case once under watch and print what was seen."""
    place = next(one for one in places([address]) if one.name == name)
    watch = _Watch()
    sys.addaudithook(watch)
    results = {case.name: _hash(place, case, watch) for case in cases_in(place.folder / "golden")}
    print(json.dumps({"cases": results, "touched": watch.touched}))


def _hash(place: Place, case: Case, watch: _Watch) -> str:
    """One hash over message, package, documents, origins and refusals."""
    watch.is_on = True
    try:
        ausgabe = place.mapping.map(case.antrag, case.kontext)
    except (Rejected, Misconfigured) as refusal:
        return _of(refusal.code, repr(refusal.findings))
    except Exception as failure:  # a mapping that breaks is not the linter's to judge: it breaks in both runs
        return _of(type(failure).__name__, str(failure))
    finally:
        watch.is_on = False
    documents = [f"{one.file_name} {one.media_type} {one.content.sha256}" for one in ausgabe.dokumente]
    herkunft = [f"{one.target} {one.kind} {one.source}" for one in ausgabe.herkunft]
    return _of(
        ausgabe.nachricht.decode("utf-8"),
        f"{ausgabe.package.file_name} {ausgabe.package.content.sha256}",
        *documents,
        *herkunft,
        *ausgabe.unread,
        repr(sorted(ausgabe.business_keys.items())),
    )


def _of(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
