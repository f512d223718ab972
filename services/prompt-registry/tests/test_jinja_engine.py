"""What a template may say, and that its render stays bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_prompt_registry.adapters.jinja_engine import (
    MAX_OUTPUT_CHARACTERS,
    MAX_VARIABLES_CHARACTERS,
    JinjaEngine,
)
from tollway_servicekit.errors import InvalidRequest

ENGINE = JinjaEngine()
ECHO = ENGINE.compile("<{{ name }}>")


def render(source: str, **variables: str) -> str:
    return ENGINE.compile(source).render(variables)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {{ name }}.\n", "Hello Ada."),
        ("{{ name | upper }} {{ other | default('nobody') }}", "ADA nobody"),
        ("{% if other is defined %}\n{{ other }}\n{% else %}\nnone\n{% endif %}\nend", "none\nend"),
        ("{% if name in ['Ada', 'Bob'] and not name == 'Bob' %}yes{% endif %}", "yes"),
        ("{{ 'long' if name | length == 3 else 'short' }}", "long"),
        ("{% raw %}{{ name }}{% endraw %}{# a comment #}", "{{ name }}"),
    ],
)
def test_a_template_may_use_variables_conditions_and_some_filters(source: str, text: str) -> None:
    assert render(source, name="Ada") == text


@given(st.text())
def test_a_variable_is_text_and_never_a_template(value: str) -> None:
    assert ECHO.render({"name": value}) == f"<{value}>"


def test_a_variable_that_looks_like_a_template_stays_as_it_is() -> None:
    assert render("{{ name }}", name="{{ secret }}{% for x in y %}") == "{{ secret }}{% for x in y %}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in name %}{% for b in name %}{{ a }}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set a = 'x' %}{{ a }}",
        "{{ range(9) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ 'x' ~ name }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ name | replace('a', 'aaaa') }}",
        "{{ name.__class__.__mro__ }}",
        "{{ name['upper'] }}",
        "{{ lipsum() }}",
        "{% include 'elsewhere' %}",
        "{% extends 'elsewhere' %}",
        "{% import 'elsewhere' as o %}",
        "{% filter upper %}x{% endfilter %}",
        "{% block b %}{% endblock %}",
        "{{ unclosed",
        "{% if %}",
        "{{ " + "not " * 20_000 + "name }}",
        "{{ " + "(" * 20_000 + "name" + ")" * 20_000 + " }}",
        "{% if name %}" * 300 + "{% endif %}" * 300,
        "{{ " + "9" * 10_000 + " }}",
        "{{ name }}" * 3000,
    ],
)
def test_what_could_run_away_is_refused_when_it_is_compiled_without_being_quoted(source: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        ENGINE.compile(source)
    assert refusal.value.reason == "PROMPT_TEMPLATE_INVALID"
    for word in ("unclosed", "1000000000", "elsewhere", "lipsum", "__class__"):
        assert word not in refusal.value.message


def test_every_missing_variable_is_named_and_no_text_is_quoted() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        render("Very secret text for {{ b }}, {{ a }}, {{ c }} and {{ d | default('x') }}.", c="private value")
    assert refusal.value.reason == "PROMPT_VARIABLES_INVALID"
    assert refusal.value.metadata == {"missing": "a,b"}
    assert refusal.value.message == "the prompt needs the variables a, b"


def test_a_variable_that_is_optional_in_one_place_is_still_needed_in_another() -> None:
    with pytest.raises(InvalidRequest, match="PROMPT_VARIABLES_INVALID"):
        render("{{ a | default('x') }} {{ a }}")


def test_a_variable_that_the_template_does_not_use_is_ignored() -> None:
    assert render("text", other="x") == "text"


def test_a_comparison_that_fails_on_text_is_the_callers_error_without_the_value() -> None:
    with pytest.raises(InvalidRequest, match="PROMPT_VARIABLES_INVALID") as refusal:
        render("{% if name > 3 %}x{% endif %}", name="private value")
    assert "private value" not in refusal.value.message


def test_variables_that_are_too_long_are_refused() -> None:
    assert len(render("{{ a }}", a="x" * MAX_VARIABLES_CHARACTERS)) == MAX_VARIABLES_CHARACTERS
    with pytest.raises(InvalidRequest, match="PROMPT_VARIABLES_INVALID"):
        render("{{ a }}", a="x" * MAX_VARIABLES_CHARACTERS, b="x")


def test_a_text_that_grows_too_long_is_cut_off_early() -> None:
    template = ENGINE.compile("{{ a }}" * 1500)
    with pytest.raises(InvalidRequest, match=str(MAX_OUTPUT_CHARACTERS)):
        template.render({"a": "x" * MAX_VARIABLES_CHARACTERS})
