from __future__ import annotations

import pytest
from tollway_simulator.domain.answer import WORDS, make_answer
from tollway_simulator.domain.prompt import Prompt
from tollway_simulator.domain.samples import arguments_for
from tollway_simulator.domain.script import Script, UsageOverride, read_script


def test_every_word_of_the_answer_is_one_token_by_the_four_byte_rule():
    answer = make_answer(Prompt("m", "", 0), Script(words=300), "")
    assert all(max(1, round(len(piece.encode()) / 4)) == 1 for piece in answer.blocks[0].pieces)
    assert round(len(answer.blocks[0].text.encode()) / 4) == answer.usage.output == 300
    assert all(word.islower() and len(word) <= 6 for word in WORDS)


def test_directives_combine_and_leave_the_text():
    script, text = read_script("one [words=200][delay=0.5] two [tool] [usage=in:1,read:2]")
    assert script == Script(words=200, delay=0.5, tool=True, usage=UsageOverride(input=1, read=2))
    assert text == "one  two"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[words]",
        "[words=]",
        "[words=many]",
        "[words=-1]",
        "[words=100001]",
        "[delay=nan]",
        "[status=200]",
        "[echo=1]",
        "[usage=in]",
        "[usage=in:x]",
        "[usage=cents:1]",
        "[nothing=1]",
        "[times=3]",
        "[link](https://example.com) [1]",
    ],
)
def test_what_is_no_directive_is_text(text):
    assert read_script(text) == (Script(), text)


def test_arguments_fit_the_schema():
    schema = {
        "type": "object",
        "$defs": {"Point": {"properties": {"x": {"type": "number", "minimum": 3}}}},
        "properties": {
            "unit": {"enum": ["celsius", "kelvin"]},
            "when": {"type": "string", "format": "date"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "at": {"$ref": "#/$defs/Point"},
            "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "either": {"type": ["null", "boolean"]},
        },
        "required": ["unit", "undeclared"],
    }
    assert arguments_for(schema) == {
        "unit": "celsius",
        "when": "2026-01-31",
        "tags": ["sample"],
        "at": {"x": 3},
        "maybe": 1,
        "either": True,
        "undeclared": "sample",
    }


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"$ref": "#"}, {"properties": {"a": {"$ref": "#"}}}])
def test_a_schema_without_end_or_sense_still_gives_an_object(schema):
    assert isinstance(arguments_for(schema), dict)
