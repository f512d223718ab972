"""The shape of one gRPC service, read from its descriptor; what `serve` registers and every kind of stub calls."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from google.protobuf import message_factory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC: its name, its path on the wire and its message types."""

    name: str
    path: str
    request_type: type[Message]
    response_type: type[Message]
    is_server_streaming: bool
    long_field: Sequence[int] = ()
    """Numbers of the fields that lead to one that may be long, for a servicer that looks for it in `context.beside`."""


@dataclass(frozen=True, slots=True)
class Contract:
    """All RPCs of one service, e.g. `Contract.of(cache_pb2, "CacheService")`."""

    name: str
    methods: Mapping[str, Method]

    @classmethod
    def of(cls, module: ModuleType, service: str, long_fields: Mapping[str, Sequence[int]] | None = None) -> Contract:
        """Read a service's descriptor; `long_fields` are those that its servicer takes beside the message, by RPC."""
        descriptor = module.DESCRIPTOR.services_by_name[service]
        methods = {
            method.name: Method(
                name=method.name,
                path=f"/{descriptor.full_name}/{method.name}",
                request_type=message_factory.GetMessageClass(method.input_type),
                response_type=message_factory.GetMessageClass(method.output_type),
                is_server_streaming=method.server_streaming,
                long_field=(long_fields or {}).get(method.name, ()),
            )
            for method in descriptor.methods
        }
        return cls(descriptor.full_name, methods)

    def bind(self, servicer: object) -> Mapping[str, Any]:
        """Return the servicer's bound method of each RPC; a missing one fails here, at start, not at its first call."""
        missing = [name for name in self.methods if not hasattr(servicer, name)]
        if missing:
            raise TypeError(f"{type(servicer).__name__} does not serve {', '.join(missing)} of {self.name}")
        return {name: getattr(servicer, name) for name in self.methods}
