"""The simulator put together: folder, journal, desk, line; and what its admin path can do."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from intermediary.testing.samples import sample_letter
from intermediary.testing.simulate.osci.calling import post
from intermediary.testing.simulate.osci.chunks import Limits
from intermediary.testing.simulate.osci.desk import Desk, World
from intermediary.testing.simulate.osci.filling import Filler
from intermediary.testing.simulate.osci.journal import Journal
from intermediary.testing.simulate.osci.line import Line
from intermediary.testing.simulate.osci.reading import box_of
from intermediary.testing.simulate.osci.site import Site
from intermediary.testing.simulate.osci.trouble import Knob, Trouble

LOCAL = ("127.0.0.1", 0)


class Simulator:
    """A simulated OSCI intermediary over a folder. `serve` blocks; as a context manager it serves in a thread.

    One process at a time may have the folder. Whatever end it has, the next one goes on with everything it answered.
    """

    def __init__(
        self,
        site: Site,
        *,
        listen: tuple[str, int] = LOCAL,
        seed: int = 0,
        knobs: Iterable[Knob] = (),
        limits: Limits | None = None,
        with_tls: bool = False,
        world: World | None = None,
    ) -> None:
        self.site = site
        world = world or World(clock=_now, random=secrets.token_bytes, post=post)
        self.trouble = Trouble(knobs, seed=seed)
        self._journal = Journal(site.folder)
        self.desk = Desk(
            self._journal,
            reader=site.reader(),
            own=site.own(),
            trouble=self.trouble,
            limits=limits or Limits(),
            world=world,
        )
        # The samples come in at the same desk, but never meet trouble that was meant for the client.
        self._filler = Filler(site.pki, self._undisturbed, random=world.random, clock=world.clock)
        self._line = Line(listen, answer=self.desk.answer, admin=self._command, tls=site.tls if with_tls else None)
        site.tell(self.url)

    @property
    def url(self) -> str:
        """Where clients send their requests."""
        return self._line.url

    def fill(self, count: int) -> tuple[str, ...]:
        """Puts so many samples into the post box of the site's keyring; their ids."""
        return self._filler.fill(count, first=len(self.desk.books.cards))

    def forward(self, receiver: str) -> tuple[str, ...]:
        """Hands one sample to the passive recipient at this address; the codes of the answer to its sender."""
        letter = sample_letter(len(self.desk.books.cards), now=_now())
        return self._filler.forward(letter, receiver).order.feedback

    def serve(self) -> None:
        """Serve until SIGTERM, SIGINT or `stop`."""
        self._line.serve()
        self._journal.close()

    def stop(self) -> None:
        """Let `serve` return."""
        self._line.stop()

    def __enter__(self) -> Simulator:
        self._line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()
        self._journal.close()

    def state(self) -> dict[str, Any]:
        """Figures about boxes and dialogs, for people and checkers; no ids, no content."""
        books = self.desk.books
        return {
            "waiting": len(books.deliveries),
            "boxes": {box: len(books.box(box)) for box in {one.addressee for one in books.deliveries.values()}},
            "cards": len(books.cards),
            "received": sum(card.reception is not None for card in books.cards.values()),
            "dialogs": len(books.dialogs),
            "own_box": box_of(self.site.pki.members["recipient-cipher"].certificate),
        }

    def _undisturbed(self, body: bytes) -> bytes:
        return self.desk.answer(body, is_disturbed=False).body

    def _command(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        match name:
            case "state":
                return self.state()
            case "fill":
                return {"stored": len(self.fill(int(arguments["count"])))}
            case "forward":
                return {"feedback": self.forward(str(arguments["receiver"]))}
            case "knob":
                self.trouble.turn(Knob.parse(str(arguments["knob"])))
                return {"knob": arguments["knob"]}
            case "calm":
                self.trouble.calm()
                return {}
            case "forget-dialogs":
                return {"forgotten": self.desk.forget_dialogs()}
        raise ValueError("commands: state, fill, forward, knob, calm, forget-dialogs")


def _now() -> datetime:
    return datetime.now(UTC)
