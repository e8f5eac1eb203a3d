"""The way back over AMQP where this process cannot even open a line."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from intermediary.core.faults import Transient
from intermediary.ingress.amqp import AmqpAnswers


@contextmanager
def _no_files_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_without_files_left_asks_for_patience() -> None:
    """What time heals parks no good Nachricht: the Quittung is tried again under the same id."""
    answers = AmqpAnswers("amqp://guest:guest@127.0.0.1:1/", queue="q")

    with _no_files_left(), pytest.raises(Transient, match=r"receipt\.unreachable"):
        answers.answer(b"{}", quittung_id="1", message_id="m", correlation_id="", reply_to="")
