"""Settings say by name what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pytest
from tollway_servicekit.settings import Environment, SettingError, read_config

if TYPE_CHECKING:
    from pathlib import Path


class Section(msgspec.Struct, forbid_unknown_fields=True):
    size: Annotated[int, msgspec.Meta(ge=1)] = 5
    url: str | None = None


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return file


def test_an_absent_or_empty_variable_takes_its_default() -> None:
    env = Environment({"EMPTY": "", "BLANK": "  "})
    for name in ("EMPTY", "BLANK", "ABSENT"):
        assert env.text(name, "usual") == "usual"
        assert env.integer(name, 7) == 7
        assert env.flag(name, True) is True


def test_a_value_is_taken_without_the_spaces_around_it() -> None:
    env = Environment({"KEY": " tw_1 \n", "PORT": " 8000 "})
    assert env.text("KEY") == "tw_1"
    assert env.integer("PORT", 0) == 8000


@pytest.mark.parametrize("variables", [{}, {"CACHE_ADDRESS": ""}])
def test_a_missing_required_variable_is_told_with_what_it_should_be(variables: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=r"CACHE_ADDRESS is missing.* host:port of the cache"):
        Environment(variables).required("CACHE_ADDRESS", "host:port of the cache")


@pytest.mark.parametrize(("word", "meaning"), [("1", True), ("TRUE", True), ("On", True), ("no", False), ("0", False)])
def test_a_flag_is_read_in_the_usual_words(word: str, meaning: bool) -> None:
    assert Environment({"FLAG": word}).flag("FLAG", not meaning) is meaning


def test_a_flag_or_number_in_other_words_is_told_by_name() -> None:
    env = Environment({"FLAG": "maybe", "NUMBER": "1e3"})
    with pytest.raises(SettingError, match="FLAG must be true or false, not 'maybe'"):
        env.flag("FLAG")
    with pytest.raises(SettingError, match="NUMBER must be a whole number, not '1e3'"):
        env.integer("NUMBER", 1)


def test_numbered_variables_come_in_order_and_gaps_are_left_out() -> None:
    env = Environment({"KEY_3": "c", "KEY": "a", "KEY_5": "e", "KEY_6": "f", "KEY_2": ""})
    assert env.numbered("KEY") == ("a", "c", "e")


def test_a_section_is_read_and_the_others_are_left_alone(tmp_path: Path) -> None:
    file = write(tmp_path, "cache: {size: 9, url: redis://x}\nedge: [1, 2]\n")
    assert read_config(file, "cache", Section) == Section(size=9, url="redis://x")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "edge: 1", "cache:\n"])
def test_an_empty_file_or_section_gives_the_defaults(tmp_path: Path, text: str) -> None:
    assert read_config(write(tmp_path, text), "cache", Section) == Section()


@pytest.mark.parametrize("path", ["", "does-not-exist.yaml"])
def test_without_a_file_the_defaults_hold(path: str) -> None:
    assert read_config(path, "cache", Section) == Section()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cache: {sise: 1}", "section cache: .*sise"),
        ("cache: {size: big}", r"section cache: .*\$\.size"),
        ("cache: {size: 0}", r"section cache: .*\$\.size"),
        ("cache: {size: null}", r"section cache: .*\$\.size"),
        ("cache: [1]", "section cache: Expected `object`"),
        ("cache: 'text", "is not YAML"),
        ("- cache", "must be a mapping of sections"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_path_and_key(tmp_path: Path, text: str, told: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(SettingError, match=told) as caught:
        read_config(file, "cache", Section)
    assert str(file) in str(caught.value)


def test_a_config_file_cannot_make_objects(tmp_path: Path) -> None:
    made: list[Any] = []
    with pytest.raises(SettingError, match="is not YAML"):
        made.append(read_config(write(tmp_path, "cache: !!python/object/apply:os.getcwd []"), "cache", Section))
    assert not made


def test_a_section_that_nobody_reads_is_told_with_the_ones_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"no section 'provider-dispatch'; the sections are .*provider_dispatch"):
        read_config(write(tmp_path, "provider-dispatch: {}"), "cache", Section)
