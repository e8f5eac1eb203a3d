"""The reference page of the connectors that come with the product: manifest, settings, secrets."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from intermediary.connect.settings import Setting, describe_settings
from intermediary.core.ports import ConnectorFactory, Manifest
from intermediary.route.plugins import Connectors

_HEAD = """\
# Connectors

Generated from the manifests and settings of the connectors by `make docs`. A target of a route names one
(`[[route.target]] connector = …`) and its settings (`[route.target.settings]`); `a.b` is the key `b` of a table `a` inside.
A connector of a vendor tells the same with `intermediary connector list NAME`.

| manifest | says |
|---|---|
| after an ambiguous attempt | `native`: repeated under the same key, the target removes doubles · `lookup`: the target is \
asked first · `none`: a person decides |
| steps | what is done once and not again by the next attempt; `show` lists them |
| largest document | what is larger is not sent: `target.document.too-large` |
| at a time | Zustellungen to one target per worker process; `max_parallel` of the target bounds all hosts |

An instance may offer less or more than its manifest says, where its settings say what the target can do: its README tells.
A secret is a file of its own that only the user of the daemon may read (`chmod 0600`).
"""


def page() -> str:
    """The whole page, Markdown."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield _HEAD
    shelf = Connectors()
    for name in shelf.names():
        factory = shelf.get(name)
        if factory.settings_type.__module__.startswith("connectors."):
            yield from _connector(name, factory)


def _connector(name: str, factory: ConnectorFactory) -> Iterator[str]:
    manifest = factory.manifest
    summary = manifest.summary[:1].upper() + manifest.summary[1:]
    folder = Path(inspect.getfile(type(factory))).parent
    more = f": [README](../../connectors/{folder.name}/README.md)" if (folder / "README.md").exists() else ""
    yield f"\n## `{name}`\n\n{summary}{more}.\n"
    yield "\n| after an ambiguous attempt | steps | largest document | at a time |\n|---|---|---|---|\n"
    yield f"| `{manifest.idempotency}` | {_steps(manifest)} | {_most(manifest)} | {manifest.concurrency} |\n"
    yield "\n| key | type | default | meaning |\n|---|---|---|---|\n"
    yield from (_row(one) for one in describe_settings(factory.settings_type))


def _row(one: Setting) -> str:
    kind = f"{one.type} of a secret" if one.is_secret else one.type
    default = "required" if one.default is None else "none" if one.default in ("none", '""') else f"`{one.default}`"
    return f"| `{one.key}` | {kind} | {default} | {one.help} |\n"


def _steps(manifest: Manifest) -> str:
    return " → ".join(f"`{step}`" for step in manifest.steps) or "none"


def _most(manifest: Manifest) -> str:
    return "no limit" if manifest.max_document_bytes is None else f"{manifest.max_document_bytes} bytes"
