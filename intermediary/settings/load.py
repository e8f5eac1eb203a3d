"""Reads `intermediary.toml` into `Settings`, or says everything that is wrong with it."""

from __future__ import annotations

import os.path
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from intermediary.settings.crosscheck import crosscheck
from intermediary.settings.finding import ConfigurationError, Finding
from intermediary.settings.models import Settings


def load(path: Path) -> Settings:
    """The settings in the file `path`; no other file is opened.

    Raises `ConfigurationError` with all findings of the file itself. Whether the files and folders it names exist is
    for `lint` to say, and for the room that opens them.
    """
    settings, findings = read(path)
    blocking = [finding for finding in findings if finding.is_blocking]
    if settings is None or blocking:
        raise ConfigurationError(blocking)
    return settings


def read(path: Path) -> tuple[Settings | None, list[Finding]]:
    """The settings, if they can be built, and every finding of the file itself.

    Keys that are no settings are blocking findings; the settings are built without them all the same, so that `lint`
    and `doctor` can go on to the files it names.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  not resolve(): the file may be a link that rotates
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as failure:
        return None, [Finding(path, "", f"cannot be read: {failure.strerror}", "name the file with -c")]
    except UnicodeDecodeError:
        return None, [Finding(path, "", "is not UTF-8", "save the file as UTF-8")]
    except tomllib.TOMLDecodeError as failure:
        return None, [Finding(path, "", f"is not TOML: {failure}")]
    try:
        return _crosschecked(path, data, [])
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
    found = [_finding(path, error, data) for error in errors]
    if any(error["type"] != "extra_forbidden" for error in errors):
        return None, found
    for error in errors:
        _remove(data, error["loc"])
    try:
        return _crosschecked(path, data, found)
    except ValidationError as failure:
        return None, [*found, *(_finding(path, error, data) for error in failure.errors(include_url=False))]


def _crosschecked(path: Path, data: dict[str, Any], found: list[Finding]) -> tuple[Settings, list[Finding]]:
    settings = Settings.model_validate(data, context={"base": path.parent, "file": path})
    return settings, [*found, *crosscheck(settings, path)]


def _remove(data: Any, place: tuple[int | str, ...]) -> None:
    for step in place[:-1]:
        data = _inside(data, step)
    if isinstance(data, dict):
        data.pop(place[-1], None)


def _finding(file: Path, error: ErrorDetails, data: dict[str, Any]) -> Finding:
    place, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return Finding(file, _dotted(place, data), "is not a setting", _hint_for_unknown(place))
    if kind == "missing":
        return Finding(file, _dotted(place, data), "is missing")
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        return Finding(
            file, _dotted(place, data), "is not one of the choices", f"choose {expected.replace(chr(39), chr(34))}"
        )
    return Finding(file, _dotted(place, data), _lower(error["msg"].removeprefix("Value error, ")))


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _dotted(place: tuple[int | str, ...], data: Any) -> str:
    """The path as an operator reads it: `channel[rabbit].amqp.queue`, and `channel[2]` for an entry without a name."""
    path = ""
    for step in place:
        data = _inside(data, step)
        name = data.get("name") if isinstance(data, dict) else None
        if isinstance(step, int):
            path += f"[{name if isinstance(name, str) and name else step + 1}]"
        elif step != "[key]":
            path += f".{step}" if path else step
    return path


def _inside(data: Any, step: int | str) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _hint_for_unknown(place: tuple[int | str, ...]) -> str:
    name = str(place[-1])
    known = _known_names(Settings, place[:-1])
    if f"{name}_file" in known:
        return f'secrets are files: name one in "{name}_file"'
    near = get_close_matches(name, known, n=1)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known here: {', '.join(known)}" if known else ""


def _known_names(model: type[BaseModel] | None, place: tuple[int | str, ...]) -> list[str]:
    for step in place:
        if model is None:
            return []
        if isinstance(step, str) and step in model.model_fields:
            model = _table_in(model.model_fields[step].annotation)
    return list(model.model_fields) if model else []


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The table a field holds, be it alone, optional, in a list or under names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for argument in get_args(annotation) if (table := _table_in(argument))), None)
