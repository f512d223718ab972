"""The gRPC targets that an address stands for: one for each peer."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address


async def resolve(address: str) -> list[str] | None:
    """Return a target for each address of the host; None where DNS does not say. A target of any other kind is one."""
    host, _, port = address.rpartition(":")
    if "://" in address or address.startswith("unix:") or not port.isdigit() or _is_ip(host):
        return [address]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the latter for what can be no name
        return None
    hosts = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts]


def _is_ip(host: str) -> bool:
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
