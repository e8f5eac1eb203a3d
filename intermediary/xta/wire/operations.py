"""The twelve operations of XTA 2.1.1: port, action, what the bodies hold, which exceptions they know (digest §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from intermediary.unseal.xta.names import CONTAINER, MESSAGE_ID, OSCI, XTA

Port = Literal["management", "send", "msgbox"]

_X = "http://www.xta.de/XTA/"
_B = "http://www.osci.eu/ws/2008/05/transport/urn/messageTypes/"

_PD, _TP = "PermissionDeniedException", "XTAWSTechnicalProblemException"
_PNV, _ID = "ParameterIsNotValidException", "InvalidMessageIDException"
_SENDING = (_PD, _PNV, _TP, "MessageSchemaViolationException", "MessageVirusDetectionException", "SyncAsyncException")

FAULT_ACTION = "http://www.w3.org/2005/08/addressing/soap/fault"
"""Of SOAP's own faults; an exception of XTA has the action of its operation."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `request` and `response` name the child of the body (`{namespace}name`), empty for an empty one.

    Requests and responses have the same `action`. `exceptions` are the local names of the fault details. `changes` says
    whether a call may change something at the server: only then is a lost answer a question.
    """

    name: str
    port: Port
    action: str
    request: str
    response: str
    exceptions: tuple[str, ...]
    changes: bool = False


CHECK_ACCOUNT_ACTIVE = Operation("checkAccountActive", "management", _X + "CheckAccountActive", "", "", (_PD, _TP))
CREATE_MESSAGE_ID = Operation("createMessageId", "management", _X + "CreateMessageID", "", MESSAGE_ID, (_PD, _TP))
LOOKUP_SERVICE = Operation(
    "lookupService",
    "management",
    _X + "IsServiceAvailable",
    XTA + "LookupServiceRequest",
    XTA + "LookupServiceResponse",
    (_PD, _PNV, _TP),
)
GET_TRANSPORT_REPORT = Operation(
    "getTransportReport",
    "management",
    _X + "GetTransportReport",
    MESSAGE_ID,
    XTA + "TransportReport",
    (_PD, _TP, _ID),
)
CANCEL_MESSAGE = Operation(
    "cancelMessage",
    "management",
    _X + "CancelMessage",
    MESSAGE_ID,
    "",
    (_PD, _PNV, _TP, "CancelDeniedException"),
    changes=True,
)
SEND_MESSAGE = Operation("sendMessage", "send", _X + "SendMessage", CONTAINER, "", _SENDING, changes=True)
SEND_MESSAGE_SYNC = Operation(
    "sendMessageSync", "send", _X + "SendMessageSync", CONTAINER, CONTAINER, _SENDING, changes=True
)
GET_STATUS_LIST = Operation(
    "getStatusList",
    "msgbox",
    _B + "MsgBoxStatusListRequest",
    OSCI + "MsgBoxStatusListRequest",
    OSCI + "MsgStatusList",
    (_PD, _TP),
)
GET_NEXT_STATUS_LIST = Operation(
    "getNextStatusList",
    "msgbox",
    _B + "MsgBoxGetNextListRequest",
    OSCI + "MsgBoxGetNextRequest",
    OSCI + "MsgStatusList",
    (_PD, _TP),
)
GET_MESSAGE = Operation(
    "getMessage", "msgbox", _B + "MsgBoxFetchRequest", OSCI + "MsgBoxFetchRequest", CONTAINER, (_PD, _TP, _ID)
)
GET_NEXT_MESSAGE = Operation(
    "getNextMessage",
    "msgbox",
    _B + "MsgBoxGetNextMsgRequest",
    OSCI + "MsgBoxGetNextRequest",
    CONTAINER,
    (_PD, _TP, _ID),
)
CLOSE = Operation(
    "close", "msgbox", _B + "MsgBoxCloseRequest", OSCI + "MsgBoxCloseRequest", "", (_PD, _TP, _ID), changes=True
)

OPERATIONS = (
    CHECK_ACCOUNT_ACTIVE,
    CREATE_MESSAGE_ID,
    LOOKUP_SERVICE,
    GET_TRANSPORT_REPORT,
    CANCEL_MESSAGE,
    SEND_MESSAGE,
    SEND_MESSAGE_SYNC,
    GET_STATUS_LIST,
    GET_NEXT_STATUS_LIST,
    GET_MESSAGE,
    GET_NEXT_MESSAGE,
    CLOSE,
)
BY_ACTION = {operation.action: operation for operation in OPERATIONS}
"""The action tells two operations with the same request element apart."""
