"""Figures in the text format of Prometheus (version 0.0.4): names and labels are closed sets, nothing of a Nachricht."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


def family(name: str, kind: Literal["gauge", "counter"], meaning: str, samples: Iterable[Sample]) -> Iterator[str]:
    """The lines of one metric; without a sample nothing, because a figure that is not known is not 0."""
    found = list(samples)
    if not found:
        return
    yield f"# HELP intermediary_{name} {meaning}\n"
    yield f"# TYPE intermediary_{name} {kind}\n"
    for labels, value in found:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"intermediary_{name}{f'{{{inner}}}' if inner else ''} {_number(value)}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.3f}"
