"""The settings of an e-file: the way there is a transport, the way back a folder, a remote folder or a queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from connectors.amqp.settings import AmqpSettings
from connectors.rest.settings import RestSettings
from connectors.rest.template import Template
from connectors.sftp.settings import RemoteFolder, SftpSettings
from connectors.soap.settings import Asked, SoapSettings


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the e-file answers, and where its answers go from there; three folders on one mount."""

    folder: Path = field(metadata={"help": "folder with the e-file's answers: xdomea 0402 and 0403, XML or ZIP"})
    archive: Path = field(metadata={"help": "private folder for answers that belong to a Zustellung; the proof"})
    unmatched: Path = field(metadata={"help": "folder for answers that nobody could read or match; should be empty"})
    deadline_hours: int = field(
        default=72, metadata={"help": "hours until a missing import confirmation is looked into"}
    )


@dataclass(frozen=True, slots=True)
class FetchedAnswers(Answers):
    """The same, where answers are fetched into `folder` first, or the target is asked for each."""

    queue: str = field(default="", metadata={"help": "transport `amqp`: queue from which answers are fetched"})
    remote: RemoteFolder | None = field(
        default=None, metadata={"help": "transport `sftp`: folder of the server from which answers are fetched"}
    )
    path: Template = field(
        default=Template(""),
        metadata={"help": "transport `rest`: path of the GET for the answer to a package, with {key} and taken facts"},
    )
    call: Asked | None = field(
        default=None, metadata={"help": "transport `soap`: operation that has the answer to a package"}
    )


@dataclass(frozen=True, slots=True)
class EakteOrdnerSettings:
    """The settings of one e-file with an import folder; its folders must exist."""

    drop: Path = field(metadata={"help": "import folder that the e-file empties; packages appear in it complete"})
    state: Path = field(metadata={"help": "private folder on the same mount: what is underway, and the memory of keys"})
    answers: Answers = field(metadata={"help": "the way back"})
    checksum: bool = field(default=False, metadata={"help": "put NAME.sha256 into the drop before each package"})


@dataclass(frozen=True, slots=True)
class EakteSettings:
    """The settings of one e-file behind a transport of another connector; its folders must exist."""

    transport: Literal["sftp", "rest", "soap", "amqp"] = field(
        metadata={"help": "connector that hands a package over; its settings stand in the table of its name"}
    )
    state: Path = field(metadata={"help": "private folder, one for all hosts: which packages went out under which key"})
    answers: FetchedAnswers = field(metadata={"help": "the way back"})
    sftp: SftpSettings | None = field(default=None, metadata={"help": "the SFTP server with the import folder"})
    rest: RestSettings | None = field(default=None, metadata={"help": "the HTTP interface that takes a package"})
    soap: SoapSettings | None = field(default=None, metadata={"help": "the operation that takes a package"})
    amqp: AmqpSettings | None = field(default=None, metadata={"help": "the queue that takes packages"})

    def __post_init__(self) -> None:
        tables = {"sftp": self.sftp, "rest": self.rest, "soap": self.soap, "amqp": self.amqp}
        given = [name for name, table in tables.items() if table is not None]
        if given != [self.transport]:
            raise ValueError(f"the table `{self.transport}`, and no other one, says how a package is handed over")
        if self.answers.queue and self.transport != "amqp":
            raise ValueError("`answers.queue` belongs to the transport `amqp`")
        if self.answers.remote and self.transport != "sftp":
            raise ValueError("`answers.remote` belongs to the transport `sftp`")
        if self.answers.call is not None and self.transport != "soap":
            raise ValueError("`answers.call` belongs to the transport `soap`")
        if self.answers.path:
            self._demand_path(self.answers.path)
        late = (
            self.sftp and self.sftp.acknowledgement,
            self.rest and self.rest.verdict,
            self.amqp and self.amqp.answers,
            self.soap and self.soap.reply.pending,
        )
        if any(late):
            raise ValueError("the answer of the e-file is the verdict: the transport must not wait for one of its own")

    def _demand_path(self, path: Template) -> None:
        if self.rest is None:
            raise ValueError("`answers.path` belongs to the transport `rest`")
        known = {"key"}.union(*(one.take for one in self.rest.requests))
        if not path.names or path.names - known:
            raise ValueError("`answers.path` names one Zustellung: {key}, or a fact that a request takes")
