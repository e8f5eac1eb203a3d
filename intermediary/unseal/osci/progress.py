"""What is known so far while a message is being opened, and which OSCI code a refusal has at that point."""

from __future__ import annotations

from enum import Enum, auto

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund, Opened, Part, SignatureFact
from intermediary.unseal.policy import Policy

FORMAT = "osci-1.2"


class Stage(Enum):
    """How far the reading has come."""

    ENVELOPE = auto()
    TRANSPORT = auto()
    MESSAGE = auto()
    SIGNATURE = auto()
    CONTENT = auto()
    SEALED = auto()


_FIXED = {
    "osci.transport.no-key": "9200",
    "osci.transport.undecryptable": "9202",
    "osci.type.unexpected": "9300",
    "osci.control-block": "9400",
    "osci.transport-signature.missing": "9600",
    "signature.undetermined": "9710",
    "osci.transport-signature.invalid": "9601",
    "osci.transport-signature.incomplete": "9602",
}
_POLICY = {Stage.TRANSPORT: "9202", Stage.SIGNATURE: "9601"}
_CONTENT = ("osci.structure", "osci.reference", "osci.content.unsigned-part")


class Progress:
    """The notes of one reading: filled as facts are established, read once at the end or when it is refused."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.stage = Stage.ENVELOPE
        self.message_type = ""
        self.message_id = ""
        self.subject = ""
        self.facts: dict[str, str] = {}
        self.signatures: list[SignatureFact] = []
        self.findings: list[Befund] = []
        self._algorithms: dict[str, None] = {}
        self._key_operations = 0

    def applies(self, policy: Policy) -> None:
        """Notes the policy that holds for a layer; a partner's exception stays noted once it has been in force."""
        if policy.partner:
            self._policy = policy

    def note(self, fact: SignatureFact) -> None:
        """Notes what was found about a signature; that a signer is trusted in spite of something is a finding too."""
        self.signatures.append(fact)
        if fact.trusted and fact.reason:
            self.findings.append(Befund(fact.reason, path=fact.place or fact.layer))

    def saw(self, *uris: str) -> None:
        """Notes algorithms in order of appearance."""
        self._algorithms.update(dict.fromkeys(uris))

    def count_key_operation(self) -> None:
        """One private-key operation is about to happen; there is a limit per message."""
        self._key_operations += 1
        if self._key_operations > self._policy.max_key_operations:
            raise Rejected("osci.limit", where="key operations")

    def osci_code(self, code: str) -> str | None:
        """What OSCI calls a refusal with this code of ours, here (digest §15); None where it has no code: content."""
        if self.stage is Stage.SEALED:
            return None
        if self.stage is Stage.CONTENT:
            return "9100" if code in _CONTENT else None
        if code in _FIXED:
            return _FIXED[code]
        if code.startswith("policy."):
            return _POLICY.get(self.stage, "9100")
        if code == "osci.signature.duplicate-reference":
            return "9602"
        return "9100"

    def opened(self, contents: tuple[Part, ...] = (), attachments: tuple[Part, ...] = ()) -> Opened:
        """Everything noted, as the result."""
        return Opened(
            format=FORMAT,
            message_type=self.message_type,
            message_id=self.message_id,
            subject=self.subject,
            contents=contents,
            attachments=attachments,
            signatures=tuple(self.signatures),
            algorithms=tuple(self._algorithms),
            policy=self._policy.label,
            findings=tuple(self.findings),
            facts=dict(self.facts),
        )
