"""Serves servicers over gRPC and links, with health, reflection, one error mapping and a graceful stop."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tollway_servicekit.channel import CHANNEL_OPTIONS, SERVER_OPTIONS
from tollway_servicekit.context import CallContext
from tollway_servicekit.defects import is_asked_for, unexpected
from tollway_servicekit.errors import ServiceError
from tollway_servicekit.link.server import LINK_AGE_SECONDS, LINK_SERVICE, LinkServicer
from tollway_servicekit.port.listener import listening
from tollway_servicekit.port.splice import private_socket
from tollway_servicekit.status import to_trailers
from tollway_servicekit.tls import Credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tollway_servicekit.contract import Contract, Method
    from tollway_servicekit.tls import Tls

log = logging.getLogger(__name__)

STOP_GRACE_SECONDS = 20.0


@asynccontextmanager
async def serving(
    servicers: Mapping[Contract, object] | list[tuple[Contract, object]],
    address: str,
    tls: Tls | None = None,
    *,
    grace: float = STOP_GRACE_SECONDS,
    link_age: float = LINK_AGE_SECONDS,
) -> AsyncIterator[int]:
    """
    Serve until the block is left; calls in flight then have `grace` seconds to end.

    Args:
        servicers: Each contract with the object that serves it.
        address: `host:port`; port 0 takes a free one.
        tls: Serve callers with a certificate only, and health on a port of its own where it names one.
        grace: Seconds that calls in flight get when the block is left.
        link_age: Seconds after which a link asks its caller to open another.

    Yields:
        The port that is listened on.

    Raises:
        OSError: An address is taken or not ours.
        SettingError: The files of TLS cannot be used.
    """
    pairs = list(servicers.items()) if hasattr(servicers, "items") else list(servicers)
    names = [contract.name for contract, _ in pairs]
    links = LinkServicer(pairs, link_age)
    checks = health.aio.HealthServicer()
    server = _server(pairs, links, checks)
    credentials = None if tls is None else Credentials(tls)
    async with AsyncExitStack() as stack:
        behind = stack.enter_context(private_socket())
        _listen(server, f"unix:{behind}")
        await server.start()
        stack.push_async_callback(server.stop, 0)  # where the port cannot be had
        port = await stack.enter_async_context(listening(address, links.connection, behind, credentials))
        if tls is not None and tls.health_address:
            probed = await _plain_health(checks, tls.health_address)
            stack.push_async_callback(probed.stop, 0)
        for name in ("", *names):
            await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
        where = address if not address.endswith(":0") else f"port {port.number}"
        log.info("serving %s on %s%s", ", ".join(names), where, "" if tls is None else " with mTLS")
        try:
            yield port.number
        finally:
            await port.close()
            await checks.enter_graceful_shutdown()
            await asyncio.gather(links.stop(grace), server.stop(grace))


def _server(
    pairs: list[tuple[Contract, object]], links: LinkServicer, checks: health.aio.HealthServicer
) -> grpc.aio.Server:
    server = grpc.aio.server(options=SERVER_OPTIONS)
    for contract, servicer in pairs:
        server.add_generic_rpc_handlers((_handlers(contract, servicer),))
    server.add_generic_rpc_handlers((links.handlers(),))
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    names = [contract.name for contract, _ in pairs]
    reflection.enable_server_reflection((*names, LINK_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


def _listen(server: grpc.aio.Server, address: str) -> None:
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: the port is taken or the address is not ours") from error


async def _plain_health(checks: health.aio.HealthServicer, address: str) -> grpc.aio.Server:
    """Serve health without TLS, and nothing else."""
    server = grpc.aio.server(options=CHANNEL_OPTIONS)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    _listen(server, address)
    await server.start()
    return server


def _handlers(contract: Contract, servicer: object) -> grpc.GenericRpcHandler:
    bound = contract.bind(servicer)
    return grpc.method_handlers_generic_handler(
        contract.name,
        {name: _handler(method, bound[name]) for name, method in contract.methods.items()},
    )


def _handler(method: Method, serve: Any) -> grpc.RpcMethodHandler[Any, Any]:
    make = grpc.unary_stream_rpc_method_handler if method.is_server_streaming else grpc.unary_unary_rpc_method_handler
    wrap = _streaming if method.is_server_streaming else _unary
    return make(
        wrap(method, serve),
        request_deserializer=method.request_type.FromString,
        response_serializer=method.response_type.SerializeToString,
    )


def _unary(method: Method, serve: Any) -> Any:
    async def answer(request: Any, rpc: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await serve(request, _context(rpc))
        except (Exception, asyncio.CancelledError) as error:
            await _abort(rpc, method, error)

    return answer


def _streaming(method: Method, serve: Any) -> Any:
    async def answer(request: Any, rpc: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        responses = serve(request, _context(rpc))
        try:
            async for response in responses:
                yield response
        except (Exception, asyncio.CancelledError) as error:
            await _abort(rpc, method, error)
        finally:
            # a cancelled generator must release what it holds now, not when it is collected
            await responses.aclose()

    return answer


def _context(rpc: grpc.aio.ServicerContext[Any, Any]) -> CallContext:
    return CallContext.read(rpc.invocation_metadata(), rpc.time_remaining())


async def _abort(rpc: grpc.aio.ServicerContext[Any, Any], method: Method, error: BaseException) -> None:
    if isinstance(error, grpc.aio.AbortError) or is_asked_for(error):
        raise error
    failure = error if isinstance(error, ServiceError) else unexpected(method, error)
    await rpc.abort(grpc.StatusCode[failure.code], failure.message, trailing_metadata=to_trailers(failure))
