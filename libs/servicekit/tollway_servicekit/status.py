"""ServiceError to gRPC status and back, with `google.rpc.ErrorInfo` as the detail; used by `serve` and `stubs`."""

from __future__ import annotations

import grpc
from google.rpc import error_details_pb2, status_pb2

from tollway_servicekit.errors import ERROR_TYPES, InternalError, ServiceError

DOMAIN = "tollway"
NO_MESSAGE = "the call failed without a message"
_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
_DETAILS_KEY = "grpc-status-details-bin"


def to_status(error: ServiceError) -> bytes:
    """Return the error as a `google.rpc.Status`, with reason and metadata."""
    status = status_pb2.Status(code=grpc.StatusCode[error.code].value[0], message=error.message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    return bytes(status.SerializeToString())


def unimplemented(path: str) -> bytes:
    """Return the status of a call to a method that nobody serves."""
    message = f"nobody serves {path} here"
    return bytes(status_pb2.Status(code=grpc.StatusCode.UNIMPLEMENTED.value[0], message=message).SerializeToString())


def from_status(data: bytes) -> ServiceError:
    """Return the ServiceError that `to_status` was given, or the nearest one to any other status."""
    status = status_pb2.Status.FromString(data)
    name = _NAMES.get(status.code, "UNKNOWN")
    kind = ERROR_TYPES.get(name, InternalError)
    info = error_details_pb2.ErrorInfo()
    if status.details and status.details[0].Unpack(info):
        return kind(info.reason, status.message, dict(info.metadata))
    return kind(name, status.message or NO_MESSAGE)


def to_trailers(error: ServiceError) -> tuple[tuple[str, bytes], ...]:
    """Return trailing metadata that carries reason and metadata, readable by any gRPC client."""
    return ((_DETAILS_KEY, to_status(error)),)


def from_rpc_error(error: grpc.aio.AioRpcError) -> ServiceError:
    """Return the ServiceError that the other side raised, or the nearest one where gRPC itself failed."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return from_status(value if isinstance(value, bytes) else value.encode())
    return ERROR_TYPES.get(error.code().name, InternalError)(error.code().name, error.details() or NO_MESSAGE)
