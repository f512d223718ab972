"""What leaves in one message, who waits for whom, and how much may wait."""

from __future__ import annotations

import asyncio

from tollway_servicekit.link.frames import ANSWER, ITEM, LONG_BYTES, PART, frame, read_frames
from tollway_servicekit.link.parts import heads_of_parts
from tollway_servicekit.link.pending import PendingAnswer
from tollway_servicekit.link.writer import GATHERING_TICKS, HIGH_WATER_BYTES, PART_BYTES, Writer


class Wire:
    """Takes messages; while it is held, it has room for one."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self._is_held = False
        self.writer = Writer(self.write)

    def write(self, frames: list[bytes], length: int) -> bool:
        self.messages.append(b"".join(frames))
        assert len(self.messages[-1]) == length
        return not self._is_held

    def hold(self) -> None:
        self._is_held = True

    def free(self) -> None:
        self._is_held = False
        self.writer.go_on()

    def frames(self) -> list[tuple[int, int, bytes]]:
        return [each for message in self.messages for each in read_frames(message)]


async def test_what_is_sent_in_one_tick_leaves_as_one_message() -> None:
    wire = Wire()
    await asyncio.gather(*(wire.writer.send(number, ANSWER, b"x") for number in range(50)))
    await wire.writer.flush()
    assert len(wire.messages) == 1
    assert wire.frames() == [(number, ANSWER, b"x") for number in range(50)]


async def test_what_is_sent_during_a_write_leaves_with_the_next_one() -> None:
    wire = Wire()
    wire.hold()
    await wire.writer.send(1, ANSWER, b"first")
    for number in range(2, 12):
        for _ in range(2 * GATHERING_TICKS):
            await asyncio.sleep(0)
        await wire.writer.send(number, ANSWER, b"later")
    wire.free()
    await wire.writer.flush()
    assert [len(list(read_frames(message))) for message in wire.messages] == [1, 10]


async def test_a_long_message_goes_in_parts_and_lets_others_in_between() -> None:
    wire = Wire()
    long = bytes(20 * HIGH_WATER_BYTES)
    wire.hold()
    for number in (3, 4):  # one is being written, the other waits with what follows
        await wire.writer.send(number, ANSWER, bytes(HIGH_WATER_BYTES // 2))
        for _ in range(2 * GATHERING_TICKS):
            await asyncio.sleep(0)
    sending = asyncio.create_task(wire.writer.send(1, ANSWER, long))
    for _ in range(50):
        await asyncio.sleep(0)
    assert wire.writer.is_ready(), "a long message takes all the room"
    await wire.writer.send(2, ANSWER, b"small")
    wire.free()
    await sending
    await wire.writer.flush()
    frames = wire.frames()
    before = sum(len(body) for _, _, body in frames[: frames.index((2, ANSWER, b"small"))])
    assert before <= 2 * HIGH_WATER_BYTES
    assert b"".join(body for number, _, body in frames if number == 1) == long
    assert [kind for number, kind, _ in frames if number == 1][-1] == ANSWER
    assert all(len(body) <= PART_BYTES for _, _, body in frames)


async def test_senders_of_long_messages_take_turns() -> None:
    wire = Wire()
    await asyncio.gather(*(wire.writer.send(number, ITEM, bytes(64 * PART_BYTES)) for number in range(4)))
    await wire.writer.flush()
    order = [number for number, kind, _ in wire.frames() if kind == PART]
    for start in range(0, len(order) - 16, 16):
        assert set(order[start : start + 16]) == {0, 1, 2, 3}


async def test_a_long_message_leaves_at_once_behind_what_was_gathered() -> None:
    wire = Wire()
    wire.writer.put(frame(1, ANSWER, b"small"))
    await wire.writer.send(2, ANSWER, bytes(LONG_BYTES + 1))
    assert len(wire.messages) == 1
    assert wire.frames() == [(1, ANSWER, b"small"), (2, ANSWER, bytes(LONG_BYTES + 1))]


async def test_long_messages_that_wait_leave_one_by_one_with_what_is_gathered_meanwhile() -> None:
    wire = Wire()
    wire.hold()
    await wire.writer.send(0, ANSWER, b"first")
    for _ in range(GATHERING_TICKS + 1):
        await asyncio.sleep(0)
    waiting = [asyncio.create_task(wire.writer.send(number, ANSWER, bytes(LONG_BYTES + 1))) for number in (1, 2)]
    for number in (3, 4):
        await asyncio.sleep(0)
        await wire.writer.send(number, ANSWER, b"small")
    for _ in range(3):
        wire.writer.go_on()
        for _ in range(2 * GATHERING_TICKS):
            await asyncio.sleep(0)
    assert all(sender.done() for sender in waiting)
    assert [[number for number, *_ in read_frames(message)] for message in wire.messages] == [[0], [3, 4, 1], [2]]


async def test_nothing_is_written_behind_a_long_message_that_is_still_being_written() -> None:
    wire = Wire()
    wire.hold()
    wire.writer.put(frame(1, ANSWER, b"small"))
    await wire.writer.send(2, ANSWER, bytes(LONG_BYTES + 1))
    waiting = asyncio.create_task(wire.writer.send(4, ANSWER, bytes(LONG_BYTES + 1)))
    wire.writer.put(frame(3, ANSWER, b"small"))
    for _ in range(2 * GATHERING_TICKS):
        await asyncio.sleep(0)
    assert len(wire.messages) == 1
    wire.writer.go_on()
    await waiting
    wire.writer.put(frame(5, ANSWER, b"small"))
    for _ in range(2 * GATHERING_TICKS):
        await asyncio.sleep(0)
    assert [[number for number, *_ in read_frames(message)] for message in wire.messages] == [[1, 2], [3, 4]]


async def test_a_long_message_overtakes_none_that_waited_before_it() -> None:
    wire = Wire()
    wire.hold()
    await wire.writer.send(1, ANSWER, bytes(LONG_BYTES + 1))
    waiting = asyncio.create_task(wire.writer.send(2, ANSWER, bytes(LONG_BYTES + 1)))
    await asyncio.sleep(0)
    late = asyncio.create_task(wire.writer.send(3, ANSWER, bytes(LONG_BYTES + 1)))
    wire.free()
    await asyncio.gather(waiting, late)
    assert [number for number, *_ in wire.frames()] == [1, 2, 3]


async def test_a_call_that_ends_while_its_request_is_sent_sends_no_further_part() -> None:
    wire = Wire()
    wire.hold()
    call = PendingAnswer(asyncio.get_running_loop().create_future(), name="x", timeout=None, number=1)
    sending = asyncio.create_task(wire.writer.send_long(bytes(3 * PART_BYTES), heads_of_parts(call, b"head", b"")))
    await asyncio.sleep(0)
    call.end(None)
    wire.free()
    await sending
    assert [kind for _, kind, _ in wire.frames()] == [PART]


async def test_what_was_gathered_leaves_although_the_long_message_that_waited_was_given_up() -> None:
    wire = Wire()
    wire.hold()
    await wire.writer.send(1, ANSWER, bytes(LONG_BYTES + 1))
    waiting = asyncio.create_task(wire.writer.send(2, ANSWER, bytes(LONG_BYTES + 1)))
    await asyncio.sleep(0)
    await wire.writer.send(3, ANSWER, b"small")
    wire.free()
    waiting.cancel()
    await wire.writer.flush()
    assert [number for number, *_ in wire.frames()] == [1, 3]


async def test_with_the_wire_held_senders_wait_and_little_is_kept() -> None:
    wire = Wire()
    wire.hold()
    senders = [asyncio.create_task(wire.writer.send(number, ANSWER, bytes(10_000))) for number in range(500)]
    for _ in range(50):
        await asyncio.sleep(0)
    # one message is being written, one is gathered
    assert sum(sender.done() for sender in senders) * 10_000 <= 2 * (HIGH_WATER_BYTES + 10_000)
    wire.free()
    await asyncio.gather(*senders)
    await wire.writer.flush()
    assert sorted(number for number, _, _ in wire.frames()) == list(range(500))


async def test_a_sender_that_is_cancelled_while_it_waits_holds_up_nobody() -> None:
    wire = Wire()
    wire.hold()
    senders = [asyncio.create_task(wire.writer.send(number, ANSWER, bytes(10_000))) for number in range(100)]
    for _ in range(50):
        await asyncio.sleep(0)
    waiting = [sender for sender in senders if not sender.done()]
    for sender in waiting[::2]:
        sender.cancel()
    wire.free()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting[1::2])
    await wire.writer.flush()
    assert len(wire.frames()) == 100 - len(waiting[::2])


async def test_nobody_overtakes_who_waits_even_when_there_is_room_again() -> None:
    wire = Wire()
    wire.hold()
    senders = [asyncio.create_task(wire.writer.send(number, ANSWER, bytes(10_000))) for number in range(100)]
    for _ in range(50):
        await asyncio.sleep(0)
    wire.free()
    assert not wire.writer.is_ready(), "those that wait have not had their turn"
    await asyncio.gather(*senders)
    assert [number for number, _, _ in wire.frames()] == sorted(number for number, _, _ in wire.frames())
    await wire.writer.flush()
    assert wire.writer.is_ready()


async def test_closing_wakes_who_waits() -> None:
    wire = Wire()
    wire.hold()
    senders = [asyncio.create_task(wire.writer.send(number, ANSWER, bytes(PART_BYTES))) for number in range(50)]
    for _ in range(50):
        await asyncio.sleep(0)
    wire.writer.close()
    async with asyncio.timeout(5):
        await asyncio.gather(*senders)
    wire.free()
    assert len(wire.messages) == 1, "what waited was sent after the end"


async def test_what_is_put_after_the_end_is_dropped() -> None:
    wire = Wire()
    await wire.writer.flush()
    wire.writer.put(frame(1, ANSWER, b"late"))
    await asyncio.sleep(0)
    assert wire.messages == []
