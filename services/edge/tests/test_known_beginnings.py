"""What is read from where a turn begins is what reading all of it gives, whatever the body is."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from tollway_dialects.request import MalformedRequest, RequestBody
from tollway_edge.domain import known_beginnings
from tollway_edge.domain.fingerprint import exact_key
from tollway_edge.domain.known_beginnings import BLOCK, KnownBeginnings
from tollway_edge.domain.request import read_request
from tollway_edge.domain.workspaces import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call

ACME = "acme"
SMALL_BLOCK = 48
SPACES = st.sampled_from(["", "", "", " ", "\n\t", " " * 60])
TEXTS = st.text(st.sampled_from('ab"\\[]{},:é \n😀'), max_size=40)
TURNS = st.recursive(
    TEXTS | st.integers() | st.fixed_dictionaries({"content": TEXTS}) | st.dictionaries(TEXTS, TEXTS, max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(["model", "max_tokens", "messages", "a\\u0062", "metadata"]), TURNS, max_size=3
)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_beginnings, "BLOCK", SMALL_BLOCK)


@pytest.fixture
def read_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much JSON of each body was read, without what stands before its turns."""
    sizes: list[int] = []

    def note(raw: bytes, read=known_beginnings.names_and_values):
        if raw.startswith(b'{"":['):
            sizes.append(len(raw))
        return read(raw)

    def note_whole(raw: bytes, read=RequestBody.parse):
        sizes.append(len(raw))
        return read(raw)

    monkeypatch.setattr(known_beginnings, "names_and_values", note)
    monkeypatch.setattr(RequestBody, "parse", note_whole)
    return sizes


def told(known: KnownBeginnings | None, raw: bytes) -> object:
    """Return all that can be seen of a body that was read, as a whole if by nothing known, or why it was refused."""
    try:
        body = known.read(raw, ACME) if known else RequestBody.parse(raw)
    except MalformedRequest as error:
        return str(error)
    for name, digest in body.digests.items():
        assert digest == blake3(bytes(body.fields[name])).digest()
    return body.raw, [(name, bytes(value)) for name, value in body.fields.items()], body.changes


def conversation(turns: int, indent: int | None = None, **after: object) -> bytes:
    each = [{"role": "user", "content": f'turn {number}: "quoted"\n' + "x" * 1000} for number in range(turns)]
    return json.dumps({"model": "m", "messages": each, **after}, indent=indent).encode()


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(["messages", "input", "mess\\u0061ges", "prompt"]),
    before=FIELDS,
    turns=st.lists(TURNS, max_size=14),
    after=FIELDS,
    spaces=st.lists(SPACES, min_size=8, max_size=8),
    shorter=st.integers(0, 14),
    damage=st.none() | st.tuples(st.floats(0, 1), st.sampled_from([b"", b"]", b"}", b'"', b",", b"\\", b"\xff", b"0"])),
)
def test_a_body_is_read_as_it_is_read_whole_whatever_is_known_of_its_beginning(
    name, before, turns, after, spaces, shorter, damage
):
    known = KnownBeginnings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_beginnings, "BLOCK", SMALL_BLOCK)
        for some in (turns, turns, turns[:shorter], [*turns, "more", *turns], turns):
            raw = _written(name, before, some, after, spaces)
            assert told(known, raw) == told(None, raw)
            if damage is not None:
                at = round(damage[0] * len(raw))
                hurt = raw[:at] + damage[1] + raw[at + 1 :]
                assert told(known, hurt) == told(None, hurt)


def _written(name: str, before: dict, turns: list, after: dict, spaces: list[str]) -> bytes:
    def field(key: str, value: object) -> str:
        return f'"{key}"{spaces[0]}:{spaces[1]}{json.dumps(value, ensure_ascii=False)}'

    items = f"{spaces[2]},{spaces[3]}".join(json.dumps(turn, ensure_ascii=False) for turn in turns)
    array = f'"{name}"{spaces[4]}:{spaces[5]}[{spaces[6]}{items}{spaces[7]}]'
    written = [*(field(*pair) for pair in before.items()), array, *(field(*pair) for pair in after.items())]
    return ("{" + ",".join(written) + "}").encode()


@pytest.mark.parametrize("indent", [None, 0, 3])
def test_of_a_conversation_that_goes_on_only_what_is_new_is_read(read_bytes: list[int], indent: int | None):
    known = KnownBeginnings()
    for turns in (300, 301, 302, 303):
        known.read(conversation(turns, indent), ACME)
    first, second, *later = read_bytes
    assert min(first, second) > 300_000
    assert all(size < BLOCK + 4000 for size in later)


def test_what_two_conversations_have_in_common_is_read_once(read_bytes: list[int]):
    known = KnownBeginnings()
    for raw in [conversation(300, metadata={"user_id": user}) for user in "abc"]:
        known.read(raw, ACME)
    assert read_bytes[-1] < BLOCK + 4000


def test_what_one_workspace_sent_is_new_to_another(read_bytes: list[int], make_call: Callable[..., Call]):
    known = KnownBeginnings()
    for workspace in (ACME, ACME, ACME, "globex"):
        read_request(make_call(workspace=Workspace(workspace)), conversation(300), known)
    assert read_bytes[-1] > 300_000 > read_bytes[-2]


def test_short_bodies_are_not_worth_it(make_call: Callable[..., Call]):
    known = KnownBeginnings()
    for turns in (60, 100):
        read_request(make_call(workspace=Workspace(ACME)), conversation(turns), known)
    assert not known._starts
    read_request(make_call(workspace=Workspace(ACME)), conversation(130), known)
    assert known._starts


def test_what_is_behind_known_turns_does_not_keep_a_copy_of_them():
    known = KnownBeginnings()
    for _ in range(3):
        known.read(conversation(300), ACME)
    goes_on = conversation(1300, system="s" * 100)
    tracemalloc.start()
    try:
        body = known.read(goes_on, ACME)
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert body.names("system")
    assert held < 100_000 < 1_000_000 < most


def test_a_known_beginning_that_goes_on_as_no_json_is_refused_as_ever(read_bytes: list[int]):
    known = KnownBeginnings()
    whole = conversation(300)
    for _ in range(3):
        known.read(whole, ACME)
    for end in (b"", b"]", b"]}}", b",]}", b'"', b"\xff]}", b'],"\xff":1}', b"," + b"[" * 5000):
        broken = whole[:-2] + end
        assert told(known, broken) == told(None, broken)


def test_an_array_that_ends_where_a_known_one_went_on_is_no_other_one(small_blocks: None):
    known = KnownBeginnings()
    turns = ["x" * 20] * 20
    for _ in range(3):
        known.read(json.dumps({"messages": turns}).encode(), ACME)
    for cut in range(20 * 24):
        raw = json.dumps({"messages": turns}).encode()[: 13 + cut] + b"]}"
        assert told(known, raw) == told(None, raw)


@pytest.mark.parametrize("begins", [b'{"a":"%s"},' % (b"x" * (SMALL_BLOCK - 10)), b" " * SMALL_BLOCK])
def test_what_comes_behind_known_bytes_is_judged_with_them(small_blocks: None, begins: bytes):
    """A turn that begins with the next block is not in those bytes, nor is one behind a block of spaces."""
    begins = b'{"messages":[' + begins
    known = KnownBeginnings()
    for _ in range(3):
        assert told(known, begins + b"{},{},{}]}") == told(None, begins + b"{},{},{}]}")
    for end in (b"]}", b"{} {},{}]}", b"{},{},[]]}", b"},{},{}]}"):
        assert told(known, begins + end) == told(None, begins + end)
    assert told(known, begins[:-1] + b"1{},{},{}]}") == told(None, begins[:-1] + b"1{},{},{}]}")


def test_parts_of_a_turn_are_not_taken_for_turns(small_blocks: None, read_bytes: list[int]):
    parts = [{"text": "x" * 10}] * 3
    turns = [{"content": parts}, *[{"content": "y" * 30}] * 2, {"content": [{"text": "}, {"}, *parts]}] * 5
    raws = [json.dumps({"messages": [*turns, {"content": last}]}, separators=(",", ":")).encode() for last in range(5)]
    whole = [told(None, raw) for raw in raws]
    read_bytes.clear()
    known = KnownBeginnings()
    assert [told(known, raw) for raw in raws] == whole
    assert max(read_bytes[2:]) < len(raws[0]) / 2


def test_turns_are_not_looked_for_one_by_one(small_blocks: None, monkeypatch: pytest.MonkeyPatch):
    """Neither in millions of small ones, nor again and again from the start of a long one."""
    looked: list[int] = []
    look = known_beginnings._is_json
    monkeypatch.setattr(known_beginnings, "_is_json", lambda raw: looked.append(len(raw)) or look(raw))
    monkeypatch.setattr(known_beginnings, "_FARTHEST", 16 * SMALL_BLOCK)
    known = KnownBeginnings()
    for turns in ([1] * 5000, [{}] * 5000, [{"content": [{"text": "x"}] * 1000}]):
        raw = json.dumps({"messages": turns}).encode()
        for _ in range(3):
            assert told(known, raw) == told(None, raw)
        assert sum(looked) < 3 * len(raw)
        looked.clear()


def test_a_conversation_in_use_stays_known_while_others_come_and_go(small_blocks: None, read_bytes: list[int]):
    known = KnownBeginnings(most_blocks=20)
    in_use = json.dumps({"messages": [{"content": "in use" * 6}] * 10}).encode()
    sizes = []
    for number in range(30):
        known.read(in_use, ACME)
        sizes.append(read_bytes[-1])
        known.read(json.dumps({"messages": [{"content": f"{number}" * 20}] * 6}).encode(), ACME)
    assert sizes[:2] == [len(in_use)] * 2
    assert max(sizes[2:]) < len(in_use) / 4


def test_a_field_that_is_named_again_behind_known_turns_is_refused(small_blocks: None):
    known = KnownBeginnings()
    for _ in range(3):
        known.read(conversation(3), ACME)
    for again in (b'"model":"other"', b'"messages":[]', b'"mess\\u0061ges":[]', b'"":1,"":2'):
        with pytest.raises(MalformedRequest, match="must be there once"):
            known.read(conversation(3)[:-1] + b"," + again + b"}", ACME)


def test_turns_below_the_top_level_are_none(small_blocks: None):
    known = KnownBeginnings()
    inner = json.dumps([{"content": "x" * 100}] * 5)
    raws = [
        f'{{"a":{{"messages":{inner}}}}}'.encode(),
        f'{{"a":"\\"messages\\":{json.dumps(inner)[1:-1]}"}}'.encode(),
        f'[{{"messages":{inner}}}]'.encode(),
    ]
    whole = [told(None, raw) for raw in raws]
    assert [told(known, raw) for raw in raws * 3] == whole * 3
    assert not known._starts


def test_a_name_that_ends_like_that_of_turns_is_its_own(small_blocks: None):
    known = KnownBeginnings()
    for last in range(4):
        raw = b'{"a\\"messages":%s}' % json.dumps([{"content": "x" * 100}] * 5 + [last]).encode()
        assert told(known, raw) == told(None, raw)


def test_spaces_are_no_reason_to_look_again_and_again(small_blocks: None, monkeypatch: pytest.MonkeyPatch):
    looked: list[int] = []
    monkeypatch.setattr(known_beginnings, "_last_start", lambda *at: looked.append(1) or 1)
    known = KnownBeginnings()
    for _ in range(3):
        known.read(b'{"messages":[' + b" " * 5000 + b"]}", ACME)
    assert not looked


def test_a_key_does_not_depend_on_what_is_known(make_call: Callable[..., Call]):
    known = KnownBeginnings()
    whole = read_request(make_call(), conversation(300))
    for _ in range(3):
        call = make_call(workspace=Workspace(ACME))
        body = read_request(call, conversation(300), known)
        assert exact_key(call, body) == exact_key(call, whole)
    assert body.digests


def test_a_field_that_is_changed_is_hashed_anew(make_call: Callable[..., Call]):
    call = make_call(workspace=Workspace(ACME))
    known = KnownBeginnings()
    for _ in range(3):
        body = read_request(call, conversation(300), known)
    before = exact_key(call, body)
    assert body.digests
    body.set("messages", [{"role": "user", "content": "x" * 300_000}], "prompt")
    assert exact_key(call, body) != before


def test_no_more_blocks_are_known_than_allowed(small_blocks: None):
    known = KnownBeginnings(most_blocks=10)
    for number in range(5):
        for _ in range(3):
            raw = json.dumps({"messages": [{"content": f"{number}" * 20}] * 10}).encode()
            assert told(known, raw) == told(None, raw)
    assert len(known._starts) == 10


def test_no_text_of_a_body_is_kept(small_blocks: None):
    known = KnownBeginnings()
    for _ in range(3):
        known.read(conversation(3), ACME)
    assert {(workspace, len(digest)) for workspace, digest in known._starts} == {(ACME, 32)}
    assert all(isinstance(start, int) for start in known._starts.values())
