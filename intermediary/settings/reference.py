"""Writes the reference of all settings, `docs/reference/settings.md`, from the models' own descriptions.

`intermediary.testing.reference` writes all generated pages; a test compares them with the committed ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from intermediary.settings.models import Settings

_HEAD = """\
# Settings of an installation (`intermediary.toml`)

Generated from `intermediary/settings/models.py` by `make docs`; edit it there.

One TOML file per installation, named with `-c FILE` or in `INTERMEDIARY_CONFIG`, the only environment variable that
counts. Paths are relative to the file. A secret is a file of its own with mode 0600 (`*_file`). A key that is not
listed here is an error. `intermediary lint -c FILE` lists every finding at once; it ends with 2 when one of them keeps the
daemon from starting, else with 0. [Routes](routes.md) and [keyrings](keyring.md) stand in files of their own;
`config/example/` shows all of them.
"""


def render() -> str:
    """The whole page, Markdown."""
    return _HEAD + "".join(_sections(Settings, "", repeated=False))


def _sections(model: type[BaseModel], place: str, *, repeated: bool) -> Iterator[str]:
    rows = [_row(name, field) for name, field in model.model_fields.items() if _table(field) is None]
    if place:
        heading = f"[[{place}]]" if repeated else f"[{place}]"
        yield f"\n## `{heading}`\n\n{_summary(model)}\n"
    if rows:
        yield "\n| setting | type | default | meaning |\n|---|---|---|---|\n" + "".join(rows)
    for name, field in model.model_fields.items():
        table = _table(field)
        if table is not None:
            inner = f"{place}.{name}" if place else name
            origin = get_origin(field.annotation)
            yield from _sections(table, f"{inner}.NAME" if origin is dict else inner, repeated=origin is tuple)


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip()


def _table(field: FieldInfo) -> type[BaseModel] | None:
    candidates = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"`{json.dumps(field.get_default(call_default_factory=True))}`"
    if field.default is None:
        default = "none"
    return f"| `{name}` | {_kind(field.annotation)}{_bounds(field)} | {default} | {field.description} |\n"


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(f'`"{choice}"`' for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return f"list of {_kind(get_args(annotation)[0])}"
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {_kind(get_args(annotation)[1])}"
    inner = [argument for argument in get_args(annotation) if argument is not type(None)]
    if inner:
        return _kind(inner[0])
    return {"int": "integer", "str": "text", "Path": "path", "bool": "true or false"}[annotation.__name__]


def _bounds(field: FieldInfo) -> str:
    least = next((rule.ge for rule in field.metadata if hasattr(rule, "ge")), None)
    most = next((rule.le for rule in field.metadata if hasattr(rule, "le")), None)
    if least is None and most is None:
        return ""
    return f", {least} to {most}" if most is not None else f", at least {least}"
