"""gRPC channels between services: TLS, message limits and keep-alive that both ends agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from tollway_servicekit.tls import Credentials

# Anthropic takes bodies of 32 MB; one message holds a body and what describes it.
MAX_MESSAGE_BYTES = 40 * 1024 * 1024

CHANNEL_OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # a peer that vanished without a FIN is noticed in 30 s
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # what gRPC goes by, a minute unless it is told; the line above alone makes no difference
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    # also on a connection whose calls are silent; gRPC would stop after two pings
    ("grpc.http2.max_pings_without_data", 0),
    # a restarted peer is found again within a second or two, not after gRPC's two minutes
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # gRPC asks DNS again after 30 s at the soonest; a replaced pod would be missed for as long
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # windows do not grow: a reader that stopped would else have megabytes read ahead for it
    ("grpc.http2.bdp_probe", 0),
    # a new channel must not begin with the failures of another to the same address, which gRPC shares otherwise
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.so_reuseport", 0),
]

WINDOW_BYTES = 64 * 1024
"""What is read ahead for the reader of an answer; more than one round trip's worth makes no stream faster."""
WIDE_WINDOW_BYTES = 512 * 1024
"""The same for whole requests at a server, which are always read on."""

SERVER_OPTIONS = [*CHANNEL_OPTIONS, ("grpc.http2.lookahead_bytes", WIDE_WINDOW_BYTES)]


def open_channel(address: str, credentials: Credentials | None = None, *, server_name: str = "") -> grpc.aio.Channel:
    """
    Return a channel to `host:port`; a host with several addresses (a headless Service) is balanced over them.

    Args:
        address: `host:port`, or anything else that gRPC takes as a target.
        credentials: For TLS; the files are taken as they were last read.
        server_name: Whom the peer's certificate must name, where that is not the host.
    """
    target = address if "://" in address or address.startswith("unix:") else f"dns:///{address}"
    options: list[tuple[str, int | str]] = [*CHANNEL_OPTIONS, ("grpc.lb_policy_name", "round_robin")]
    options.append(("grpc.http2.lookahead_bytes", WINDOW_BYTES))
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options)
    if server_name:
        options.append(("grpc.ssl_target_name_override", server_name))
    return grpc.aio.secure_channel(target, credentials.of_channel(), options=options)
