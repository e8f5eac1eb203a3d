"""Chunked transfer: what is stored in pieces comes out whole, what is fetched in pieces is the same answer."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from intermediary.core.values import MemoryContent
from intermediary.osci.write import Attachment, Letter, chunk_package, seal
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.osci.partial import ChunkInformation
from intermediary.unseal.policy import profile
from intermediary.unseal.refusal import NotOpened
from tests.unit.testing.simulate.client import SmallClient
from tests.unit.testing.simulate.conftest import KB, Rig

SIZE = 16 * KB


@pytest.fixture
def large(letter: Letter) -> Letter:
    """A letter of several chunks: its attachment has 50 KB that cannot be compressed away."""
    data = bytes(range(256)) * 4 * 50
    return replace(letter, attachments=(Attachment("groß.bin", "application/octet-stream", data),))


def _sender(rig: Rig) -> SmallClient:
    client = rig.client("originator")
    client.init()
    return client


def _inner(rig: Rig, letter: Letter, message_id: str) -> bytes:
    inner = replace(
        letter, message_type="StoreDelivery", message_id=message_id, transport_cipher=None, transport_signature=None
    )
    return seal(inner, parties=rig.pki.parties, random=rig.random, now=rig.now)


def _pieces(data: bytes, size: int = SIZE) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def _store(client: SmallClient, message_id: str, pieces: list[bytes], number: int, **wrong: int) -> OsciMessage:
    kilobytes = sum(len(piece) for piece in pieces) // KB
    chunk = ChunkInformation(number=number, chunk_bytes=SIZE, total=len(pieces), total_kilobytes=kilobytes)
    return client.store_chunk(message_id, replace(chunk, **wrong), chunk_package(pieces[number - 1]))


def _store_all(rig: Rig, letter: Letter) -> str:
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, letter, message_id))
    for number in range(1, len(pieces) + 1):
        _store(client, message_id, pieces, number)
    return message_id


def test_chunks_in_any_order_become_a_delivery(rig: Rig, large: Letter) -> None:
    """Each answer lists what has arrived; the last has the inside feedback; content and signature are whole."""
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, large, message_id))
    order = [*range(len(pieces), 0, -1)]
    answers = [_store(client, message_id, pieces, number) for number in order]
    last = answers[-1]

    assert len(pieces) > 3
    assert [tuple(sorted(order[: n + 1])) for n in range(len(order))] == [a.order.chunk.received for a in answers]  # type: ignore[union-attr]
    assert all(answer.order.feedback == ("0801",) and not answer.order.inside for answer in answers[:-1])
    assert (("0801",), ["0800"]) == (last.order.feedback, [entry.code for entry in last.order.inside])
    assert f"{message_id}_Partial" == last.order.cards[0].message_id

    reader = rig.client()
    reader.init()
    opened = reader.fetch().opened
    (content,) = [fact for fact in opened.signatures if fact.layer == "content"]

    assert message_id == opened.message_id
    assert content.valid
    assert [large.attachments[0].data] == [part.content.read() for part in opened.attachments]


def test_a_restart_keeps_the_chunks(rig: Rig, large: Letter) -> None:
    """What arrived before a kill is told by InfoOnly, also outside of a dialog, and need not be sent again."""
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, large, message_id))
    _store(client, message_id, pieces, 1)
    _store(client, message_id, pieces, 3)
    rig.start()
    asking = rig.client("originator").store_chunk(message_id, None, None)

    assert asking.order.chunk is not None
    assert (1, 3) == asking.order.chunk.received

    for number in (2, *range(4, len(pieces) + 1)):
        _store(client, message_id, pieces, number)

    assert [message_id] == rig.waiting()
    assert not [name for name in rig.desk.books.files() if name.startswith(".")]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"number": 99}, "9901"),
        ({"number": 0}, "9905"),
        ({"chunk_bytes": 8 * KB}, "9905"),
        ({"chunk_bytes": 128 * KB}, "9902"),
        ({"total_kilobytes": 4096}, "9904"),
    ],
)
def test_wrong_chunk_information_is_refused(rig: Rig, large: Letter, wrong: dict[str, int], code: str) -> None:
    """Each rule has its code, nothing is kept, and the right chunk is taken afterwards."""
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, large, message_id))
    chunk = ChunkInformation(number=1, chunk_bytes=SIZE, total=len(pieces), total_kilobytes=60)
    refused = client.store_chunk(message_id, replace(chunk, **wrong), chunk_package(pieces[0]))

    assert (code,) == refused.order.feedback
    assert ("0801",) == _store(client, message_id, pieces, 1).order.feedback


def test_contradicting_and_repeated_chunks_are_refused(rig: Rig, large: Letter) -> None:
    """9900 for a chunk that is there, 9905 for another total, 9903 below the least size, each without harm."""
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, large, message_id))
    _store(client, message_id, pieces, 1)
    short = ChunkInformation(number=2, chunk_bytes=SIZE, total=len(pieces), total_kilobytes=60)

    assert ("9900",) == _store(client, message_id, pieces, 1).order.feedback
    assert ("9905",) == _store(client, message_id, pieces, 2, total=99).order.feedback
    assert ("9903",) == client.store_chunk(message_id, short, chunk_package(b"x" * 9)).order.feedback
    assert (1,) == rig.client("originator").store_chunk(message_id, None, None).order.chunk.received  # type: ignore[union-attr]


def test_chunks_need_a_dialog_and_an_id(rig: Rig, large: Letter) -> None:
    """9802 outside of an explicit dialog, 9801 for an id of one's own making."""
    client = rig.client("originator")
    chunk = ChunkInformation(number=1, chunk_bytes=SIZE, total=2, total_kilobytes=20)

    assert ("9802",) == client.store_chunk("urn:x", chunk, chunk_package(b"x")).order.feedback
    client.init()
    assert ("9801",) == client.store_chunk("urn:x", chunk, chunk_package(b"x")).order.feedback


def test_an_error_inside_is_told(rig: Rig, large: Letter) -> None:
    """An inner message under another id: 9950, and 9801 inside; nothing is stored."""
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, large, client.new_id()))
    for number in range(1, len(pieces) + 1):
        answer = _store(client, message_id, pieces, number)

    assert (("9950",), ["9801"]) == (answer.order.feedback, [entry.code for entry in answer.order.inside])
    assert [] == rig.waiting()


def test_a_lost_chunk_is_asked_for_again(rig: Rig, large: Letter) -> None:
    """The answer is positive but does not list it; sent again, it is taken."""
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, large, message_id))
    rig.turn("lose-chunk@PartialStoreDelivery=next1")
    lost = _store(client, message_id, pieces, 1)

    assert lost.order.chunk is not None
    assert (("0801",), ()) == (lost.order.feedback, lost.order.chunk.received)
    assert (1,) == _store(client, message_id, pieces, 1).order.chunk.received  # type: ignore[union-attr]


def test_the_inside_may_take_its_time(rig: Rig, large: Letter) -> None:
    """3952 after the last chunk; InfoOnly has the inside feedback later, with 3950."""
    client = _sender(rig)
    message_id = client.new_id()
    pieces = _pieces(_inner(rig, large, message_id))
    rig.turn("slow-inside=1")
    for number in range(1, len(pieces) + 1):
        answer = _store(client, message_id, pieces, number)

    assert (("0801", "3952"), ()) == (answer.order.feedback, answer.order.inside)

    later = client.store_chunk(message_id, None, None)

    assert (("0801", "3950"), ["0800"]) == (later.order.feedback, [entry.code for entry in later.order.inside])


def _fetch_all(rig: Rig, client: SmallClient, size: int) -> tuple[bytes, int]:
    first = client.fetch_chunk(1, size)
    assert first.order.chunk is not None
    total, data = first.order.chunk.total or 0, [first.opened.attachments[0].content.read()]
    for number in range(2, total + 1):
        message_id = first.order.message_id
        answer = client.fetch_chunk(number, size, *range(1, number), message_id=message_id)
        assert (number, message_id) == (answer.order.chunk and answer.order.chunk.number, answer.order.message_id)
        data.append(answer.opened.attachments[0].content.read())
    return b"".join(data), total


def test_a_large_delivery_is_fetched_in_chunks(rig: Rig, large: Letter) -> None:
    """The pieces are an ordinary answer in the open; it is received by the next request after the last chunk."""
    message_id = _store_all(rig, large)
    client = rig.client()
    client.init()
    data, total = _fetch_all(rig, client, SIZE)
    inner = open_message(MemoryContent(data), keyring=client.keyring, policy=profile("osci"), at=rig.now, role="client")
    (content,) = [fact for fact in inner.opened.signatures if fact.layer == "content"]

    assert math.ceil(len(data) / SIZE) == total
    assert (message_id, True) == (inner.order.message_id, content.valid)
    assert [large.attachments[0].data] == [part.content.read() for part in inner.opened.attachments]
    assert [message_id] == rig.waiting()

    client.exit()

    assert [] == rig.waiting()


def test_chunks_can_be_fetched_over_several_dialogs(rig: Rig, large: Letter) -> None:
    """All chunks are of the same bytes, even after a kill; a half-fetched delivery is not acknowledged by anything."""
    message_id = _store_all(rig, large)
    first = rig.client()
    first.init()
    begin = first.fetch_chunk(1, SIZE)
    first.exit()
    rig.start()

    assert [message_id] == rig.waiting()

    second = rig.client()
    second.init()
    data, total = _fetch_all(rig, second, SIZE)

    assert begin.opened.attachments[0].content.read() == data[:SIZE]
    assert begin.order.chunk is not None
    assert total == begin.order.chunk.total


def test_chunks_of_an_earlier_dialog_do_not_count(rig: Rig, large: Letter) -> None:
    """All chunks went out in a dialog that broke; who fetches only the first one again and leaves has not received it."""
    message_id = _store_all(rig, large)
    broken = rig.client()
    broken.init()
    _fetch_all(rig, broken, SIZE)
    client = rig.client()
    client.init()
    client.fetch_chunk(1, SIZE)
    client.exit()

    assert [message_id] == rig.waiting()


def test_asking_for_a_chunk_again_acknowledges_nothing(rig: Rig, large: Letter) -> None:
    """After the last chunk the client may still ask for one of them; only another request receives the delivery."""
    message_id = _store_all(rig, large)
    client = rig.client()
    client.init()
    _, total = _fetch_all(rig, client, SIZE)
    again = client.fetch_chunk(2, SIZE, *(n for n in range(1, total + 1) if n != 2), message_id=message_id)

    assert again.order.chunk is not None
    assert 2 == again.order.chunk.number
    assert [message_id] == rig.waiting()

    client.exit()

    assert [] == rig.waiting()


def test_a_small_delivery_comes_in_one_piece(rig: Rig) -> None:
    """What fits into one chunk is answered with an ordinary ResponseToFetchDelivery."""
    (message_id,) = rig.fill(1)
    client = rig.client()
    client.init()
    answer = client.fetch_chunk(1, 64 * KB)

    assert ("ResponseToFetchDelivery", message_id) == (answer.opened.message_type, answer.order.message_id)

    client.exit()

    assert [] == rig.waiting()


def test_wrong_questions_for_chunks_are_refused(rig: Rig, large: Letter) -> None:
    """9803 for an empty box, 9901 beyond the last chunk, 9902 and 9903 for the size, 9802 without a dialog."""
    client = rig.client()

    assert ("9802",) == client.fetch_chunk(1, SIZE).order.feedback
    client.init()
    assert ("9803",) == client.fetch_chunk(1, SIZE).order.feedback
    message_id = _store_all(rig, large)
    assert ("9901",) == client.fetch_chunk(99, SIZE, message_id=message_id).order.feedback
    assert ("9902",) == client.fetch_chunk(1, 128 * KB).order.feedback
    rig.limits = replace(rig.limits, min_chunk_bytes=32 * KB)
    rig.start()
    assert ("9903",) == client.fetch_chunk(1, SIZE).order.feedback
    assert [message_id] == rig.waiting()


def test_a_fetch_that_serves_no_chunk(rig: Rig, large: Letter) -> None:
    """`lose-chunk` on a fetch is an error of the order, and the chunk can be had afterwards."""
    _store_all(rig, large)
    client = rig.client()
    client.init()
    rig.turn("lose-chunk@PartialFetchDelivery=next1")

    assert ("9811",) == client.fetch_chunk(1, SIZE).order.feedback
    assert ("0801",) == client.fetch_chunk(1, SIZE).order.feedback


def test_limits_are_announced(rig: Rig) -> None:
    """The FeatureDescription has the limits the simulator holds its clients to."""
    features = rig.client().init().order.features

    assert features is not None
    assert features.takes_chunks
    assert (rig.limits.min_chunk_bytes, rig.limits.max_chunk_bytes, rig.limits.max_message_bytes) == (
        features.min_chunk_bytes,
        features.max_chunk_bytes,
        features.max_message_bytes,
    )


def test_garbage_inside_is_refused(rig: Rig) -> None:
    """Chunks that are no message: 9950, 9100 inside."""
    client = _sender(rig)
    message_id = client.new_id()
    answer = _store(client, message_id, [b"no message at all"], 1)

    assert (("9950",), ["9100"]) == (answer.order.feedback, [entry.code for entry in answer.order.inside])


def test_a_dialog_over_chunks_obeys_its_numbers(rig: Rig, large: Letter) -> None:
    """A repeated number inside a chunked fetch is 9400, as everywhere."""
    _store_all(rig, large)
    client = rig.client()
    client.init()
    client.fetch_chunk(1, SIZE)
    client.sequence = 0
    with pytest.raises(NotOpened) as refused:
        client.fetch_chunk(2, SIZE, 1)

    assert "9400" == refused.value.osci_code
