"""The inside of the cage: takes stylesheets and documents on standard input, answers on what was standard output.

Started by `Cage` in an isolated Python with an empty environment. It opens everything it needs,
then gives up for good the right to open anything more: no descriptor, so no file and no socket; no file may grow, no
core is left; memory is bounded, and so is the processor time of each question. Who asks kills it at the wall clock.
"""

from __future__ import annotations

import hashlib
import math
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

from intermediary.xml.cage.engines import Broken, Engine, Libxslt, NotCompiled, Saxon
from intermediary.xml.cage.frames import Frame, pack, unpack

_WARM = b'<t:stylesheet version="1.0" xmlns:t="http://www.w3.org/1999/XSL/Transform"><t:template match="/"><w/></t:template></t:stylesheet>'  # noqa: E501
_MOST = 256 * 1024 * 1024
_TEXT = 400

Answer = tuple[dict[str, Any], bytes]


def main(memory_bytes: int, *, with_saxon: bool) -> None:
    """Serve until the other end closes."""
    _reserve()
    source, sink = _take_over()
    engines: dict[str, Engine] = {"xslt1": Libxslt()}
    if with_saxon:
        engines["xslt3"] = Saxon()
    for engine in engines.values():  # what a processor loads at its first use is loaded now
        engine.run(engine.compile(_WARM), engine.parse(b"<w/>"))
    _lock(memory_bytes)
    _say(sink, {"engines": sorted(engines)}, ())
    _serve(source, sink, engines)


def _reserve() -> None:
    """SaxonC reserves far more addresses than it uses; a limit on them, as a suspect's process has, is not ours."""
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _take_over() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes for ourselves; whatever a library prints goes nowhere, for it may quote documents."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the worker closes the pipe when it ends
        signal.signal(one, signal.SIG_IGN)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    return source, sink


def _lock(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _serve(source: BinaryIO, sink: BinaryIO, engines: dict[str, Engine]) -> None:
    compiled: dict[str, Any] = {}

    def read(count: int) -> bytes:
        data = source.read(count)
        if len(data) < count:
            raise EOFError
        return data

    while True:
        try:
            question = unpack(read, most=_MOST)
        except EOFError:
            return
        _allow(question.head["cpu_seconds"])
        answers = list(_answers(question, engines, compiled))
        _say(sink, {"answers": [head for head, _ in answers]}, [data for _, data in answers])


def _answers(question: Frame, engines: dict[str, Engine], compiled: dict[str, Any]) -> list[Answer]:
    """One answer per stylesheet; the first that does not come to its end is the last."""
    document, *fresh = question.parts
    texts = {hashlib.sha256(text).hexdigest(): text for text in fresh}
    parsed: dict[str, Any] = {}
    answers: list[Answer] = []
    for kind, digest in question.head["sheets"]:
        engine = engines.get(kind)
        if engine is None:
            return [*answers, ({"fault": "missing"}, b"")]
        try:
            if digest not in compiled:
                compiled[digest] = engine.compile(texts[digest])
            answers.append(({}, b"" if not document else _run(engine, kind, compiled[digest], document, parsed)))
        except NotCompiled as error:
            return [*answers, ({"fault": "compile", "text": str(error)[:_TEXT], "line": error.line}, b"")]
        except Broken as error:
            return [*answers, ({"fault": "run", "line": error.line}, b"")]
        except (MemoryError, RecursionError):
            return [*answers, ({"fault": "limit"}, b"")]
    return answers


def _run(engine: Engine, kind: str, sheet: Any, document: bytes, parsed: dict[str, Any]) -> bytes:
    if kind not in parsed:
        parsed[kind] = engine.parse(document)
    return engine.run(sheet, parsed[kind])


def _allow(seconds: float) -> None:
    """The next question's share of processor time; at its end the kernel kills this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    end = math.ceil(spent.ru_utime + spent.ru_stime + seconds)
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (end if most == resource.RLIM_INFINITY else min(end, most), most))


def _say(sink: BinaryIO, head: dict[str, Any], parts: list[bytes] | tuple[()]) -> None:
    sink.write(pack(head, parts))
    sink.flush()


def start() -> None:
    """As `Cage` calls it: path of modules, memory in bytes, whether Saxon is there."""
    main(int(sys.argv[2]), with_saxon=sys.argv[3] == "saxon")
