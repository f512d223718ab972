"""A body opened at its top level: what is not changed keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_dialects.request import MalformedRequest, RequestBody

# as a client may write it: odd numbers, escapes, spaces, a signature that must not change by a byte
ODD = (
    b'{ "model" : "claude-\\u0078", "top_p":1.50, "big":123456789012345678901234567890, "tiny":1e-400,'
    b' "messages":[ {"content" : [{"type":"thinking","thinking":"\\u00fc\\/",'
    b'"signature":"EqQ+/w=="}] , "role":"user"} ],'
    b' "a\\"b":  {"x" :\t[1 , 2]} , "uml\xc3\xa4ut":"\xe2\x80\xa8" }'
)
VALUES = {
    "model": b'"claude-\\u0078"',
    "top_p": b"1.50",
    "big": b"123456789012345678901234567890",
    "tiny": b"1e-400",
    "messages": (
        b'[ {"content" : [{"type":"thinking","thinking":"\\u00fc\\/","signature":"EqQ+/w=="}] , "role":"user"} ]'
    ),
    'a"b': b'{"x" :\t[1 , 2]}',
    "umläut": b'"\xe2\x80\xa8"',
}

text = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=10,
)
bodies = st.dictionaries(text, json_values, min_size=1, max_size=6)


def values(body: RequestBody) -> dict[str, bytes]:
    return {name: bytes(value) for name, value in body.fields.items()}


def test_parsing_keeps_the_bytes_and_order_of_every_value() -> None:
    body = RequestBody.parse(ODD)
    assert values(body) == VALUES
    assert list(body.fields) == list(VALUES)
    assert (body.raw, body.changes) == (ODD, [])


def test_setting_a_field_keeps_every_other_value_and_its_place() -> None:
    body = RequestBody.parse(ODD)
    body.set("model", "claude-y", "model")
    assert values(RequestBody.parse(body.raw)) == VALUES | {"model": b'"claude-y"'}
    assert list(RequestBody.parse(body.raw).fields) == list(VALUES)
    assert body.changes == ["model"]


def test_dropping_a_field_keeps_every_other_value() -> None:
    body = RequestBody.parse(ODD)
    body.drop("tiny", "prompt")
    body.set("system", "be kind", "prompt")
    left = {name: value for name, value in VALUES.items() if name != "tiny"}
    assert values(RequestBody.parse(body.raw)) == left | {"system": b'"be kind"'}
    assert body.changes == ["prompt"]


@given(bodies, text, json_values, st.sampled_from([None, 1]), st.booleans())
def test_a_changed_body_says_the_same_but_for_the_changed_field(
    document: dict[str, Any], name: str, value: Any, indent: int | None, ascii_only: bool
) -> None:
    body = RequestBody.parse(json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode())
    body.set(name, value, "test")
    assert json.loads(body.raw) == document | {name: value}
    body.drop(name, "test")
    assert json.loads(body.raw) == {key: kept for key, kept in document.items() if key != name}


@given(bodies, st.sampled_from([None, 1]))
def test_every_unchanged_value_keeps_its_bytes(document: dict[str, Any], indent: int | None) -> None:
    body = RequestBody.parse(json.dumps(document, indent=indent).encode())
    before = values(body)
    body.set("model", "another", "model")
    after = values(RequestBody.parse(body.raw))
    assert after == before | {"model": b'"another"'}


def test_a_raw_value_may_stand_inside_a_new_one() -> None:
    body = RequestBody.parse(ODD)
    body.set("messages", [{"role": "system", "content": "x"}, body.fields["messages"]], "prompt")
    assert VALUES["messages"] in body.raw


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[1]", "must be a JSON object"),
        (b'"secret"', "must be a JSON object"),
        (b"", "not valid JSON: Input data was truncated"),
        (b'{"secret": ', "not valid JSON: Input data was truncated"),
        (b'{"secret": nul}', r"not valid JSON: invalid character \(byte 12\)"),
        (b'{"secret": 1} secret', "not valid JSON: trailing characters"),
        (b'{"secret\xff": 1}', "not valid JSON: it is not UTF-8"),
        (b'{"secret":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not valid JSON: it is nested too deeply"),
        (b"\xef\xbb\xbf{}", r"not valid JSON: invalid character \(byte 0\)"),
    ],
)
def test_a_body_that_cannot_be_a_request_is_refused_without_quoting_it(raw: bytes, why: str) -> None:
    with pytest.raises(MalformedRequest, match=why) as error:
        RequestBody.parse(raw)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (str, "model: must be a string"),
        (int, "model: must be a whole number"),
        (bool, "model: must be true or false"),
        (float, "model: must be a number"),
        (list[str], "model: must be of another type"),
    ],
)
def test_a_field_of_the_wrong_type_is_named_and_not_quoted(shape: type[Any], expected: str) -> None:
    body = RequestBody.parse(b'{"model": {"secret": 1}}')
    with pytest.raises(MalformedRequest) as error:
        body.get("model", shape)
    assert str(error.value) == expected


@pytest.mark.parametrize("value", [b'"secret\xff"', b"9" * 400 + b".5e999"])
def test_a_value_that_cannot_be_read_is_refused_when_it_is_asked_for(value: bytes) -> None:
    body = RequestBody.parse(b'{"model": %s}' % value)
    with pytest.raises(MalformedRequest, match=r"^model: must be a number$"):
        body.get("model", float)


def test_absent_and_null_fields_are_none() -> None:
    body = RequestBody.parse(b'{"model": null, "max_tokens": 0}')
    assert body.get("model", str) is None
    assert body.get("other", str) is None
    assert body.get("max_tokens", int) == 0


# --- a field twice


@pytest.mark.parametrize("size", [0, 100, 1 << 15])
@pytest.mark.parametrize("space", [b"", b" ", b" \n\t "])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b'"max_tokens":1', b'"max_tokens":100000'),
        (b'"max_tokens":1', b'"max_tokens":1'),
        (b'"max_tokens":1', b'"max\\u005ftokens":2'),
        (b'"max_tokens":"x","":0', b'"max_tokens":2'),
    ],
)
def test_a_field_that_is_there_twice_is_refused_by_name(first: bytes, second: bytes, space: bytes, size: int) -> None:
    between = b'"a":"%s"' % (b"x" * size)
    raw = b"{" + b",".join(space + field + space for field in (first, between, second)) + b"}"
    with pytest.raises(MalformedRequest) as error:
        RequestBody.parse(raw)
    assert str(error.value) == "max_tokens: must be there once"


@pytest.mark.parametrize(("name", "shown"), [("", ""), ("x" * 65, "a field"), ("a\n\u202e", "a field")])
def test_the_shortest_field_counts_too_and_an_odd_name_is_not_quoted(name: str, shown: str) -> None:
    field = b"%s:0" % json.dumps(name).encode()
    with pytest.raises(MalformedRequest) as error:
        RequestBody.parse(b"{%s,%s}" % (field, field))
    assert str(error.value) == f"{shown}: must be there once"


names = st.text(st.sampled_from('a1"\\/\u00e9\u2028\x7f\x01\U0001f600'), max_size=3)


@given(st.lists(st.tuples(names, json_values), max_size=5), st.booleans(), st.sampled_from(["", " ", "\n  "]))
def test_only_names_that_are_there_once_are_taken(pairs: list[tuple[str, Any]], ascii_only: bool, space: str) -> None:
    written = [
        f"{space}{json.dumps(name, ensure_ascii=ascii_only)}:{json.dumps(value, separators=(',', ':'))}"
        for name, value in pairs
    ]
    try:
        body = RequestBody.parse(b"{%s}" % ",".join(written).encode())
    except MalformedRequest:
        assert len(dict(pairs)) < len(pairs)
    else:
        assert list(body.fields) == [name for name, _ in pairs]


def test_a_name_inside_a_value_is_another_fields() -> None:
    raw = b'{"model": {"model": 1}, "a": "\\"model\\": 2", "b": [{"model": 3}]}'
    assert list(RequestBody.parse(raw).fields) == ["model", "a", "b"]


def test_a_body_of_very_many_fields_is_refused() -> None:
    many = {f"field {number}": number for number in range(2000)}
    with pytest.raises(MalformedRequest, match="more than 1024 fields"):
        RequestBody.parse(json.dumps(many).encode())


# --- half of a surrogate pair


@pytest.mark.parametrize(
    "text",
    [
        rb"\ud800",
        rb"\uDFFF",
        rb"\ud83d and more text behind it",
        rb"\ud83d\u0041 and more",
        rb"\ud83d\ude00 \ud83d",
        rb"\ude00\ud83d",
    ],
)
@pytest.mark.parametrize("template", [b'{"a":"%s"}', b'{"%s":1}', b'{"a":[{"b":"%s"}], "c": 1}'])
def test_half_of_a_surrogate_pair_is_called_what_it_is(template: bytes, text: bytes) -> None:
    with pytest.raises(MalformedRequest, match="half of a surrogate pair"):
        RequestBody.parse(template % text)


def test_a_body_that_is_cut_is_not_blamed_on_its_whole_pairs() -> None:
    with pytest.raises(MalformedRequest, match="truncated"):
        RequestBody.parse(rb'{"a":"\ud83d\ude00')
