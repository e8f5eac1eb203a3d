"""Asks axe-core, in headless Chromium, whether a page is accessible: a second opinion, for the soak.

Needed: `chromium` and `npm` on PATH; axe-core comes from the npm registry, once per run. Nothing else is fetched: the page
is opened from a file, its policy is taken off so that the script may run in it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

AXE = "axe-core@4.14.1"
SERIOUS = ("serious", "critical")
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_FOUND = re.compile(r'<pre id="axe-found">(.*?)</pre>', re.DOTALL)
_RUN = """
axe.run(document, {resultTypes: ['violations', 'incomplete']}).then(found => {
  const pre = document.createElement('pre');
  pre.id = 'axe-found';
  pre.textContent = JSON.stringify(found.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.length,
    where: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))})));
  document.body.appendChild(pre);
});
"""


class AxeMissing(Exception):
    """Chromium or npm is not there, or axe-core could not be had."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of axe that a page breaks; `impact` from minor to critical."""

    id: str
    impact: str
    nodes: int
    where: tuple[str, ...]


class Axe:
    """axe-core in a folder of its own; `check` opens one page."""

    def __init__(self, folder: Path) -> None:
        for program in ("chromium", "npm"):
            if shutil.which(program) is None:
                raise AxeMissing(f"{program} is not installed")
        self._folder = folder
        command = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
            str(folder),
            AXE,
        ]
        got = subprocess.run(command, capture_output=True, timeout=300, check=False)
        script = folder / "node_modules/axe-core/axe.min.js"
        if got.returncode or not script.is_file():
            raise AxeMissing("npm could not install axe-core")
        self._script = script.read_text(encoding="utf-8")

    def check(self, page: bytes) -> tuple[Violation, ...]:
        """Every violation of a page. Raises `AxeMissing` when Chromium gave no answer."""
        scripts = f"<script>{self._script}</script><script>{_RUN}</script></body>"
        path = self._folder / "page.html"
        text = _POLICY.sub("", page.decode("utf-8"))
        path.write_text(scripts.join(text.rsplit("</body>", 1)), encoding="utf-8")
        command = [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={self._folder / 'profile'}",
        ]
        command += ["--virtual-time-budget=20000", "--window-size=1000,1400", "--dump-dom", path.as_uri()]
        answer = subprocess.run(command, capture_output=True, timeout=300, check=False).stdout.decode(
            "utf-8", "replace"
        )
        found = _FOUND.search(answer)
        if found is None:
            raise AxeMissing("chromium gave no answer")
        return tuple(
            Violation(one["id"], one["impact"] or "", one["nodes"], tuple(one["where"]))
            for one in json.loads(unescape(found[1]))
        )
