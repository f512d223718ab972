"""Every process of a topology gets an address of its own."""

from __future__ import annotations

import socket

from tollway_topologies.addresses import free_address


def test_no_address_is_given_twice_and_none_that_is_taken() -> None:
    first = free_address()
    host, _, port = first.rpartition(":")
    with socket.create_server((host, int(port) + 1)):
        given = {free_address() for _ in range(50)}
    assert len(given) == 50
    assert not given & {first, f"{host}:{int(port) + 1}"}
    with socket.create_server((host, int(given.pop().rpartition(":")[2]))):
        pass
