"""The cage: stylesheets of others run without files, network, environment, and die at their limits alone."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from intermediary.xml.cage import cage as cage_module
from intermediary.xml.cage.cage import MEGABYTE, Cage, Caged, CageLimits, Sheet

DOCUMENT = "<a><b>Müller</b></a>".encode()
XSL = "http://www.w3.org/1999/XSL/Transform"
TWICE_3 = (
    '<xsl:function name="f:down"><xsl:param name="n"/>'
    '<xsl:sequence select="if ($n eq 0) then 1 else f:down($n - 1) + f:down($n - 1)"/></xsl:function>'
)
DOWN = '<xsl:call-template name="down"><xsl:with-param name="n" select="60"/></xsl:call-template>'
_AGAIN = DOWN.replace("60", "$n - 1")
TWICE_1 = (
    f'<xsl:template name="down"><xsl:param name="n"/><xsl:if test="$n &gt; 0">{_AGAIN}{_AGAIN}</xsl:if></xsl:template>'
)
GROW = '<xsl:call-template name="grow"><xsl:with-param name="t" select="concat($t, $t)"/></xsl:call-template>'
BOTH = pytest.mark.parametrize("kind", ["xslt1", "xslt3"])


@pytest.fixture(scope="module")
def cage() -> Cage:
    """One cage for the tests that do it no harm."""
    return Cage()


@pytest.fixture
def tight() -> Cage:
    """A cage with little time, memory and output."""
    return Cage(
        CageLimits(cpu_seconds=1, wall_seconds=60, memory_bytes=400 * MEGABYTE, output_bytes=MEGABYTE, questions=50)
    )


def sheet(kind: str, body: str, top: str = "") -> Sheet:
    version = "1.0" if kind == "xslt1" else "3.0"
    text = (
        f'<xsl:stylesheet version="{version}" xmlns:xsl="{XSL}" xmlns:f="urn:f" exclude-result-prefixes="f">{top}'
        f'<xsl:template match="/" name="main">{body}</xsl:template></xsl:stylesheet>'
    )
    return Sheet.of(kind, text.encode())  # type: ignore[arg-type]


def reason(cage: Cage, one: Sheet) -> str:
    with pytest.raises(Caged) as caught:
        cage.run(DOCUMENT, [one])
    return caught.value.reason


@BOTH
def test_a_stylesheet_runs(cage: Cage, kind: str) -> None:
    """What a stylesheet makes of the document comes back, in UTF-8."""
    (output,) = cage.run(DOCUMENT, [sheet(kind, '<xsl:value-of select="//b"/>')])

    assert "Müller" in output.decode()


def test_several_stylesheets_answer_in_their_order(cage: Cage) -> None:
    """Both processors serve one question, in the order asked."""
    outputs = cage.run(DOCUMENT, [sheet("xslt3", "<x/>"), sheet("xslt1", "<y/>"), sheet("xslt3", "<z/>")])

    assert [b"<x/>" in outputs[0], b"<y/>" in outputs[1], b"<z/>" in outputs[2]] == [True, True, True]


def test_a_stylesheet_is_sent_and_compiled_once(cage: Cage) -> None:
    """The second question with the same stylesheet carries only its hash."""
    one = sheet("xslt3", "<once/>")
    cage.run(DOCUMENT, [one])
    forgotten = Sheet("xslt3", b"this text is not sent any more", one.sha256)

    assert b"<once/>" in cage.run(DOCUMENT, [forgotten])[0]


@BOTH
def test_an_error_says_nothing_of_the_document(cage: Cage, kind: str) -> None:
    """A stylesheet that breaks off is `run`, without a text: the processors' sentences quote the document."""
    body = '<xsl:message terminate="yes"><xsl:value-of select="//b"/></xsl:message>'
    with pytest.raises(Caged) as caught:
        cage.run(DOCUMENT, [sheet(kind, body)])

    assert (caught.value.reason, caught.value.text) == ("run", "")
    assert "Müller" not in repr(caught.value)


@BOTH
def test_a_compile_error_names_its_line(cage: Cage, kind: str) -> None:
    """Whoever wrote the stylesheet learns where in it the mistake stands."""
    with pytest.raises(Caged) as caught:
        cage.compile([sheet(kind, '\n\n<xsl:value-of select="a["/>')])

    assert 3 == caught.value.line


def test_a_run_error_names_its_line(cage: Cage) -> None:
    """libxslt tells the instruction that broke off; Saxon tells nothing that could not quote the document."""
    with pytest.raises(Caged) as caught:
        cage.run(DOCUMENT, [sheet("xslt1", '\n\n<xsl:value-of select="$nowhere"/>')])

    assert ("run", 3) == (caught.value.reason, caught.value.line)


@BOTH
def test_what_does_not_compile_is_explained(cage: Cage, kind: str) -> None:
    """The text of a compile error is about the stylesheet, and the position tells which one."""
    with pytest.raises(Caged) as caught:
        cage.compile([sheet(kind, "<fine/>"), sheet(kind, '<xsl:value-of select="a["/>')])

    assert (caught.value.reason, caught.value.position) == ("compile", 1)
    assert caught.value.text


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("xslt1", "document('{url}')"),
        ("xslt1", "document('')"),
        ("xslt3", "document('{url}')"),
        ("xslt3", "doc('{url}')"),
        ("xslt3", "unparsed-text('{url}')"),
        ("xslt3", "collection('{url}')"),
        ("xslt3", "uri-collection('{url}')"),
        ("xslt3", "json-doc('{url}')"),
        ("xslt3", "transform(map{{'stylesheet-location':'{url}'}})"),
        ("xslt3", "Q{{java:java.lang.System}}getProperty('user.dir')"),
    ],
)
def test_no_file_is_read(cage: Cage, tmp_path: Path, kind: str, expression: str) -> None:
    """Every function that reads files ends the run, also for a file that is there."""
    path = tmp_path / "there.xml"
    path.write_text("<secret/>")

    asked = expression.format(url=path.as_uri()).replace("<", "&lt;")
    one = sheet(kind, f'<xsl:copy-of select="{asked}"/>')

    assert reason(cage, one) in ("run", "compile")


@pytest.mark.parametrize(
    ("kind", "top"),
    [
        ("xslt1", '<xsl:import href="{url}"/>'),
        ("xslt1", '<xsl:include href="{url}"/>'),
        ("xslt3", '<xsl:import href="{url}"/>'),
        ("xslt3", '<xsl:include href="{url}"/>'),
        ("xslt3", '<xsl:import-schema schema-location="{url}"/>'),
    ],
)
def test_no_stylesheet_is_drawn_in(cage: Cage, tmp_path: Path, kind: str, top: str) -> None:
    """A stylesheet has only itself: import and include are refused."""
    path = tmp_path / "other.xsl"
    path.write_text(f'<xsl:stylesheet version="1.0" xmlns:xsl="{XSL}"/>')

    assert reason(cage, sheet(kind, "<x/>", top.format(url=path.as_uri()))) == "compile"


@BOTH
def test_no_file_is_written(cage: Cage, tmp_path: Path, kind: str) -> None:
    """xsl:result-document and libxslt's own document element leave nothing behind."""
    target = tmp_path / "written.xml"
    body = {
        "xslt1": f'<e:document xmlns:e="http://exslt.org/common" xsl:extension-element-prefixes="e" href="{target}"/>',
        "xslt3": f'<xsl:result-document href="{target.as_uri()}"><x/></xsl:result-document>',
    }[kind]
    try:
        cage.run(DOCUMENT, [sheet(kind, body)])
    except Caged:
        pass

    assert not target.exists()


def test_no_socket_is_opened(cage: Cage) -> None:
    """Nobody knocks at a server that a stylesheet names."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        for kind in ("xslt1", "xslt3"):
            assert reason(cage, sheet(kind, f"<xsl:copy-of select=\"document('{url}')\"/>")) == "run"

        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_child_can_open_nothing_and_knows_nothing(cage: Cage) -> None:
    """The kernel grants the child no further descriptor, no growing file, no core, and its environment is empty."""
    cage.run(DOCUMENT, [sheet("xslt3", "<x/>")])
    child = cage._child
    assert child is not None
    pid = child._process.pid
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    ceilings = {line[:26].strip(): line[26:].split()[:2] for line in limits}

    assert ceilings["Max open files"] == ["0", "0"]
    assert ceilings["Max file size"] == ["0", "0"]
    assert ceilings["Max core file size"] == ["0", "0"]
    assert ceilings["Max data size"][1] != "unlimited"
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""


def test_even_code_of_its_own_has_no_way_out() -> None:
    """Planted: what runs in a child that has locked itself opens no file, no socket, no pipe, and starts no program."""
    code = (
        "import os, socket, subprocess\n"
        "from intermediary.xml.cage import child\n"
        "ways = {'file': lambda: open('/etc/hostname'), 'socket': socket.socket, 'pipe': os.pipe,\n"
        "        'program': lambda: subprocess.run(['/bin/true'])}\n"
        "child._lock(1 << 30)\n"
        "for name, way in ways.items():\n"
        "    try:\n"
        "        way()\n"
        "    except OSError as error:\n"
        "        print(name, error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)

    assert done.stdout.split("\n")[:-1] == [f"{name} {errno.EMFILE}" for name in ("file", "socket", "pipe", "program")]


@pytest.mark.parametrize(
    ("kind", "body", "top"),
    [
        ("xslt3", '<xsl:value-of select="f:down(60)"/>', TWICE_3),
        ("xslt1", DOWN, TWICE_1),
        ("xslt3", "<xsl:value-of select=\"string-join(for $i in 1 to 400000000 return string($i), '')\"/>", ""),
        (
            "xslt1",
            GROW.replace("$t, $t", "//b, //b"),
            f'<xsl:template name="grow"><xsl:param name="t"/>{GROW}</xsl:template>',
        ),
    ],
    ids=["time-xslt3", "time-xslt1", "memory-xslt3", "memory-xslt1"],
)
def test_at_its_limits_the_child_dies_alone(tight: Cage, kind: str, body: str, top: str) -> None:
    """Without end in time or memory: no result, and the next question is answered by a fresh child."""
    assert reason(tight, sheet(kind, body, top)) in ("limit", "run")

    assert b"<still/>" in tight.run(DOCUMENT, [sheet(kind, "<still/>")])[0]


@BOTH
def test_a_huge_output_is_no_output(tight: Cage, kind: str) -> None:
    """More output than allowed is not read, but ends the child."""
    calls = [f'<xsl:call-template name="t{number}"/>' * 2 for number in range(1, 13)]
    top = "".join(f'<xsl:template name="t{number}">{call}</xsl:template>' for number, call in enumerate(calls))
    top += f'<xsl:template name="t12">{"x" * 2000}</xsl:template>'
    one = sheet(kind, '<r><xsl:call-template name="t0"/></r>', top)

    assert reason(tight, one) == "limit"
    assert b"<still/>" in tight.run(DOCUMENT, [sheet(kind, "<still/>")])[0]


@BOTH
def test_recursion_without_end_is_stopped(cage: Cage, kind: str) -> None:
    """A template that calls itself breaks off at the processor's depth."""
    top = '<xsl:template name="again"><x><xsl:call-template name="again"/></x></xsl:template>'

    assert reason(cage, sheet(kind, '<xsl:call-template name="again"/>', top)) == "run"


def test_waiting_ends_at_the_wall_clock() -> None:
    """A child that uses no time but does not answer is killed when the waiting is over."""
    cage = Cage(CageLimits(wall_seconds=60))
    cage.run(DOCUMENT, [sheet("xslt1", "<x/>")])
    child = cage._child
    assert child is not None
    process = child._process
    os.kill(process.pid, signal.SIGSTOP)
    cage._limits = CageLimits(wall_seconds=0.2)

    assert reason(cage, sheet("xslt1", "<x/>")) == "limit"
    assert process.returncode == -signal.SIGKILL


def test_a_child_that_died_is_replaced(cage: Cage) -> None:
    """Somebody killed the child between two questions: the next one is answered all the same."""
    cage.run(DOCUMENT, [sheet("xslt1", "<x/>")])
    child = cage._child
    assert child is not None
    os.kill(child._process.pid, signal.SIGKILL)
    child._process.wait()

    assert b"<x/>" in cage.run(DOCUMENT, [sheet("xslt1", "<x/>")])[0]


def test_a_child_is_replaced_after_its_share_of_questions() -> None:
    """Whatever a processor hoards ends with its child."""
    cage = Cage(CageLimits(questions=2))
    seen = set()
    for _ in range(4):
        cage.run(DOCUMENT, [sheet("xslt1", "<x/>")])
        seen.add(cage._child and cage._child._process.pid)

    assert len(seen - {None}) == 2


def test_without_saxon_xslt_3_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question for a processor that is not installed says so, and XSLT 1 goes on."""
    monkeypatch.setattr(cage_module, "has_saxon", lambda: False)
    cage = Cage()

    assert reason(cage, sheet("xslt3", "<x/>")) == "missing"
    assert b"<x/>" in cage.run(DOCUMENT, [sheet("xslt1", "<x/>")])[0]


def test_a_cage_that_is_let_go_ends_its_child() -> None:
    """No child outlives the one who asked it."""
    cage = Cage()
    cage.run(DOCUMENT, [sheet("xslt1", "<x/>")])
    child = cage._child
    assert child is not None
    process = child._process
    cage.close()

    assert process.returncode == -signal.SIGKILL


def test_a_process_with_few_addresses_has_a_cage_all_the_same() -> None:
    """A suspect is opened in a process of little address space and time (DESIGN §2.7): the cage runs there, too."""
    code = (
        "import resource; from intermediary.xml.cage.cage import Cage, Sheet\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (900, 900))\n"
        f"sheet = Sheet.of('xslt3', {sheet('xslt3', '<still/>').text!r})\n"
        "print(Cage().run(b'<a/>', [sheet])[0].decode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)

    assert "<still/>" in done.stdout, done.stderr
