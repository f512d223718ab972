"""How a servicer's answers go onto a link; called by `served` in the task of each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_servicekit.channel import MAX_MESSAGE_BYTES
from tollway_servicekit.errors import Exhausted
from tollway_servicekit.link.frames import END, ITEM, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from tollway_servicekit.link.flow import Credit
    from tollway_servicekit.link.writer import Writer


def hand_on_to(writer: Writer, number: int, credit: Credit, calls: Container[int]) -> Callable[[Any], bool]:
    """Return the `hand_on` of a call's context; what comes after the call's end goes nowhere."""

    def hand_on(item: Any) -> bool:
        if number not in calls:
            return False
        data = whole_bytes(item)
        writer.put(frame(number, ITEM, data))
        credit.spend(len(data))
        return writer.is_ready() and not credit.is_spent

    return hand_on


async def send_items(writer: Writer, number: int, items: Any, credit: Credit) -> None:
    """Send items as their reader takes them; the producer goes on when there is room for another one."""
    try:
        async for item in items:
            if credit.is_spent:  # by what was handed on
                await credit.wait()
            data = whole_bytes(item)
            if not writer.has_sent(number, ITEM, data):
                await writer.send(number, ITEM, data)
            credit.spend(len(data))
            if credit.is_spent:
                await credit.wait()
    finally:
        # a cancelled generator must release what it holds now, not when it is collected
        await items.aclose()
    writer.put(frame(number, END))


def whole_bytes(message: Any) -> bytes:
    """
    Return what a message is on the wire.

    Raises:
        Exhausted: It is larger than any may be.
    """
    data: bytes = message.SerializeToString()
    if len(data) > MAX_MESSAGE_BYTES:
        raise Exhausted("RESOURCE_EXHAUSTED", f"the answer has {len(data)} bytes; {MAX_MESSAGE_BYTES} are the most")
    return data
