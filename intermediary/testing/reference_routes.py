"""Writes the reference of the routing table, `docs/reference/routes.md`, from the help texts of its dataclasses.

The settings of our own connectors and mappings are listed with it; `intermediary.testing.reference` writes the page.
"""

from __future__ import annotations

from collections.abc import Iterator

from intermediary.connect.settings import describe_settings
from intermediary.route.plugins import Mappings
from intermediary.route.table import Route, Target, When

_HEAD = """\
# Routes (`routes.toml`)

Generated from `intermediary/route/table.py` and the settings of our own plug-ins by `make docs`.

The routes file (`installation.routes` in the [settings](settings.md)) says which Nachricht goes through which mapping to
which targets. It is read anew when it changes; a file with a mistake changes nothing in a running daemon. A key that is
not listed here is an error, `intermediary lint -c FILE` lists all of them. Paths in it are relative to the file.

```toml
[[route]]
name = "bewohnerparken-musterstadt"
mandant = "musterstadt"
stage = "production"
mapping = "bewohnerparken@1"
require = ["content-signature", "trusted"]
[route.when]
root = "{urn:fim-de:xfall:datenschema:xdf3}S05000000058V1.0.0"
[route.settings]
aktenplan = "112-06"
aktenzeichen = "112-06/{jahr}/{vorgang}"
[[route.target]]
name = "eakte"
connector = "ordner"
required = true
[route.target.settings]
drop = "/srv/austausch/eakte/eingang"
state = "/srv/austausch/eakte/.zustellung"
```

The table headers stand in this order: `[route.when]`, `[route.settings]` and `[[route.target]]` belong to the `[[route]]`
above them, `[route.target.settings]` to the `[[route.target]]` above it.
"""

_WHICH = """
Every condition given must hold; a route without conditions takes everything of its Mandant. Of the routes that apply, the
one with the most conditions wins; two with equally many are an error (`route.ambiguous`). When none applies the Nachricht
waits (`route.missing`) and goes on by itself once a route has been added. `intermediary show ID` has the facts that are
compared: `root` under Wurzelelement, `service` under Dienst, `leika` under Leistung, `message_type` after the Format. The
`reader` is not kept in the clear: `intermediary open` shows it as Leser.
"""

_ORDER = """
## `order`

With `"vorgang"` a target gets the Nachrichten of one Vorgang in the order of acceptance: a later one waits (`order.waits`)
until the earlier one is decided there ([order of a Vorgang](../howto/order.md)). The Vorgang is what the door was told (AMQP
header `x-vorgang`, `vorgang` in the sidecar), otherwise what the mapping names. The order holds among targets of the same
name in the routes of one Mandant. A Nachricht without a Vorgang waits for nobody.
"""

_STAGE = """
## `stage`

- `"production"`: real applications. `lint` demands that the official schemas of what the mapping writes are installed
  (`intermediary schemas install FOLDER -c FILE`). Test messages are not taken (`test.message`).
- `"test"`: to try a route. It takes test messages, and others where no production route applies; everything it makes is
  marked as a test. Official schemas are used where they are installed. It must not share a target with a production route.

## `require`

| value | demands |
|---|---|
| `"content-signature"` | every content and attachment is covered by a valid signature of its Autor |
| `"transport-signature"` | the Transportnachricht has a valid signature of its Sender |
| `"trusted"` | only signatures whose signer leads to a `[[trust]]` of the [keyring](keyring.md) count; one covers all |

What is not met is rejected (`route.signature.required`); where trust cannot be told, the Nachricht waits. What the
`require` of the [keyring](keyring.md) demands is demanded of all routes of the Mandant. A broken signature is rejected
in any case, a weak one (SHA-1) meets no demand.
"""

_TARGETS = """
The sender is answered when every target with `required = true` has a verdict. A target with `required = false` gets its
Zustellung too, tried and audited the same way, but changes no answer. At least one target is required.
"""


def page() -> str:
    """The whole page, Markdown."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield _HEAD
    yield f"\n## `[[route]]`\n\n{_table(Route, without=('when', 'target', 'settings'))}{_STAGE}{_ORDER}"
    yield f"\n## `[route.when]`\n\n{_table(When)}{_WHICH}"
    yield f"\n## `[[route.target]]`\n\n{_table(Target, without=('settings',))}{_TARGETS}"
    yield "\n## `[route.settings]`\n\nThe settings of the mapping; all of them are texts.\n"
    for name, kind in _ours(Mappings()):
        yield f"\n### Mapping `{name}`\n\n{_table(kind)}"
    yield "\n## `[route.target.settings]`\n\nThe settings of the connector: [connectors](connectors.md) has those of ours.\n"


def _ours(shelf: Mappings) -> Iterator[tuple[str, type]]:
    """The plug-ins that come with the product; a third party's has a page of its own."""
    for name in shelf.names():
        plugin = shelf.get(name)
        kind = getattr(plugin, "settings_type", None)
        if isinstance(kind, type) and kind.__module__.startswith(("mappings.", "connectors.")):
            yield name, kind


def _table(kind: type, *, without: tuple[str, ...] = ()) -> str:
    rows = (
        f"| `{one.key}` | {one.type} | {_default(one.default)} | {one.help} |\n"
        for one in describe_settings(kind)
        if one.key.partition(".")[0] not in without
    )
    return "| key | type | default | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _default(text: str | None) -> str:
    return "required" if text is None else "none" if text in ("none", '""') else f"`{text}`"
