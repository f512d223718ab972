"""Files under prompts/, digests.txt and the command that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tollway_prompt_registry.adapters.prompt_files import read_prompt_files
from tollway_prompt_registry.bootstrap import bootstrap
from tollway_prompt_registry.digests import check, main
from tollway_prompt_registry.settings import Settings
from tollway_servicekit.settings import SettingError


async def start(settings: Settings) -> None:
    async with bootstrap(settings):
        pass


def test_every_version_of_the_folder_is_read_in_order(folder: Path) -> None:
    (folder / "greeter" / "v10.txt").write_bytes(b"ten\r\n")
    (folder / "README.md").write_text("not a prompt")
    (folder / ".gitattributes").write_text("")
    (folder / "greeter" / "..data").mkdir()
    versions = read_prompt_files(folder)
    assert [(version.name, version.version) for version in versions] == [("greeter", n) for n in (1, 2, 10)]
    assert versions[-1].template == "ten\r\n"


@pytest.mark.parametrize(
    "name", ["Greeter/v1.txt", "a_b/v1.txt", "-a/v1.txt", "a/v0.txt", "a/v01.txt", "a/V1.txt", "a/v1.md", "a/1.txt"]
)
async def test_a_name_that_is_not_as_it_must_be_is_refused(settings: Settings, folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir()
    file.write_text("x")
    with pytest.raises(SettingError, match=r"named"):
        await start(settings)


async def test_a_file_that_is_not_utf8_is_refused(settings: Settings, folder: Path) -> None:
    (folder / "greeter" / "v3.txt").write_bytes(b"\xff")
    with pytest.raises(SettingError, match=r"v3\.txt is not UTF-8"):
        await start(settings)


async def test_a_template_that_is_not_valid_is_refused_by_its_file(settings: Settings, folder: Path) -> None:
    (folder / "greeter" / "v3.txt").write_text("{{ oops")
    with pytest.raises(SettingError, match=r"greeter/v3\.txt: the template cannot be published: line 1"):
        await start(settings)


async def test_a_listed_version_whose_file_changed_stops_the_start(settings: Settings, folder: Path) -> None:
    check(folder, write=True)
    await start(settings)
    (folder / "greeter" / "v1.txt").write_text("Greet nobody.\n")
    with pytest.raises(SettingError, match=r"greeter/v1\.txt changed .* save the new one as .*greeter/v3\.txt"):
        await start(settings)


async def test_an_unlisted_version_that_the_store_knows_with_another_text_stops_the_start(
    settings: Settings, folder: Path
) -> None:
    await start(settings)
    (folder / "greeter" / "v1.txt").write_text("Greet nobody.\n")
    with pytest.raises(SettingError, match=r"greeter/v1\.txt changed"):
        await start(settings)


async def test_a_listed_version_whose_file_is_gone_stops_the_start(settings: Settings, folder: Path) -> None:
    check(folder, write=True)
    (folder / "greeter" / "v1.txt").unlink()
    with pytest.raises(SettingError, match=r"greeter/v1\.txt is published .* put it back"):
        await start(settings)


async def test_without_a_folder_it_starts_and_says_so(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await start(Settings(prompts_dir=tmp_path / "absent", store_path=settings.store_path))
    assert "no prompt files are published" in caplog.text


def test_the_check_fails_until_new_versions_are_written(folder: Path) -> None:
    with pytest.raises(SettingError, match=r"does not list greeter/v1\.txt, greeter/v2\.txt: add --write"):
        check(folder, write=False)
    check(folder, write=True)
    assert check(folder, write=False) == "2 published prompt versions, 0 of them new"


def test_writing_adds_new_versions_and_refuses_changed_ones(folder: Path) -> None:
    check(folder, write=True)
    before = (folder / "digests.txt").read_text()
    (folder / "greeter" / "v3.txt").write_text("three")
    check(folder, write=True)
    after = (folder / "digests.txt").read_text()
    assert after.startswith(before)
    assert after.count("\n") == 3
    (folder / "greeter" / "v3.txt").write_text("four")
    with pytest.raises(SettingError, match=r"greeter/v4\.txt"):
        check(folder, write=True)
    assert (folder / "digests.txt").read_text() == after


def test_the_command_reports_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="add --write"):
        main([str(folder)])
    main([str(folder), "--write"])
    assert capsys.readouterr().out == "2 published prompt versions, 2 of them new\n"


def test_a_malformed_digest_line_is_refused(folder: Path) -> None:
    (folder / "digests.txt").write_text("abc greeter/v1.txt\n")
    with pytest.raises(SettingError, match=r"digests\.txt, line 1"):
        check(folder, write=False)


def test_the_prompts_that_ship_are_as_published() -> None:
    check(Path(__file__).parents[3] / "prompts", write=False)
