"""What is wrong with an object that an entry point names as a connector; the same wherever it was loaded."""

from __future__ import annotations

from typing import Any

from intermediary.core.calls import takes
from intermediary.core.ports import Idempotency, Manifest
from intermediary.core.steps import is_step_name


def connector_flaw(plugin: object, name: str) -> str:
    """Why `plugin` is no factory of the connector `name`, as the end of a sentence; empty when it is one."""
    if isinstance(plugin, type):
        return "is a class: name an instance"
    manifest = getattr(plugin, "manifest", None)
    if not isinstance(manifest, Manifest):
        return "has no manifest (Manifest)"
    if manifest.name != name:
        return f"calls itself {manifest.name}"
    idempotency: object = manifest.idempotency
    if not isinstance(idempotency, Idempotency):
        return "has a manifest without idempotency (Idempotency)"
    if flaw := _limits_flaw(manifest):
        return flaw
    if not is_frozen(getattr(plugin, "settings_type", None)):
        return "has no settings_type (frozen dataclass)"
    return "" if takes(plugin, "build", 2) else "has no build(settings, base)"


def is_frozen(settings: object) -> bool:
    """Whether it is a frozen dataclass."""
    parameters = getattr(settings, "__dataclass_params__", None)
    return isinstance(settings, type) and parameters is not None and bool(parameters.frozen)


def _limits_flaw(manifest: Manifest) -> str:
    steps: Any = manifest.steps
    if not isinstance(steps, tuple) or not all(isinstance(step, str) and is_step_name(step) for step in steps):
        return 'has a manifest whose steps are no names ("case", "document", …)'
    if len(set(steps)) != len(steps):
        return "has a manifest that names a step twice"
    limits: dict[str, Any] = {"concurrency": manifest.concurrency}
    if manifest.max_document_bytes is not None:
        limits["max_document_bytes"] = manifest.max_document_bytes
    for name, value in limits.items():
        if type(value) is not int or value < 1:
            return f"has a manifest whose {name} is no number from 1"
    return ""
