"""ServiceError to gRPC status and back, with `google.rpc.ErrorInfo` as the detail; used by `serve` and `stubs`."""

from __future__ import annotations

import grpc
from google.rpc import error_details_pb2, status_pb2

from tollway_servicekit.errors import ERROR_TYPES, InternalError, ServiceError

DOMAIN = "tollway"
_DETAILS_KEY = "grpc-status-details-bin"


def to_trailers(error: ServiceError) -> tuple[tuple[str, bytes], ...]:
    """Return trailing metadata that carries reason and metadata, readable by any gRPC client."""
    status = status_pb2.Status(code=grpc.StatusCode[error.code].value[0], message=error.message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    return ((_DETAILS_KEY, status.SerializeToString()),)


def from_rpc_error(error: grpc.aio.AioRpcError) -> ServiceError:
    """Return the ServiceError that the other side raised, or the nearest one where gRPC itself failed."""
    kind = ERROR_TYPES.get(error.code().name, InternalError)
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            status = status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode())
            info = error_details_pb2.ErrorInfo()
            if status.details and status.details[0].Unpack(info):
                return kind(info.reason, status.message, dict(info.metadata))
    return kind(error.code().name, error.details() or "the call failed without a message")
