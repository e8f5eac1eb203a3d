"""Which signatures cover which part: carried along while containers are verified, never concluded from names.

Ids are the sender's words and repeat as he likes; what a signature was verified over is known only at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from intermediary.unseal.osci.container import Container, Data, Linked


@dataclass(frozen=True, slots=True)
class Cover:
    """The signatures that hold over some place in the tree, by their positions in the message.

    `text` hold over what is written there, `enclosed` also over the octets of the attachments referred to there.
    """

    text: frozenset[int] = frozenset()
    enclosed: frozenset[int] = frozenset()

    def joined_by(self, complete: frozenset[int]) -> Cover:
        """Inside a container that has these complete signatures: they hold over its tree and all its attachments."""
        return Cover(self.text | complete, self.enclosed | complete)

    def sealed(self) -> Cover:
        """Inside an encrypted part: who signed the ciphertext has digested no attachment that is referred to in it."""
        return replace(self, enclosed=frozenset())


UNSIGNED = Cover()


class Coverage:
    """The covers of all parts of one message: contents by position, attachments once for each reference to them."""

    def __init__(self) -> None:
        self._contents: dict[int, tuple[int, ...]] = {}
        self._attachments: dict[str, list[tuple[int, ...]]] = {}

    def note(self, container: Container, cover: Cover) -> None:
        """Notes what stands directly in a verified container; nested ones are noted by themselves."""
        text, enclosed = tuple(sorted(cover.text)), tuple(sorted(cover.enclosed))
        for item in container.items:
            if isinstance(item, Data):
                self._contents[item.position] = text
            elif isinstance(item, Linked):
                self._attachments.setdefault(item.attachment.name, []).append(enclosed)

    def of_content(self, position: int) -> tuple[tuple[int, ...], ...]:
        """`Part.covered_by` of a content, which stands at one place."""
        return (self._contents[position],)

    def of_attachment(self, name: str) -> tuple[tuple[int, ...], ...]:
        """`Part.covered_by` of an attachment: one entry for each reference; different ones only once."""
        return tuple(dict.fromkeys(self._attachments[name]))
