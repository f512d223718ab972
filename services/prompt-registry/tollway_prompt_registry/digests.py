"""`python -m tollway_prompt_registry.digests prompts [--write]`: proves that published prompt files never change."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tollway_servicekit.errors import InvalidRequest
from tollway_servicekit.settings import SettingError

from tollway_prompt_registry.adapters.jinja_engine import JinjaEngine
from tollway_prompt_registry.adapters.prompt_files import DIGESTS, check_digests, file_of, read_prompt_files
from tollway_prompt_registry.domain.prompts import check_version


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Check prompt files against digests.txt.")
    parser.add_argument("folder", type=Path, help="the prompts folder")
    parser.add_argument(
        "--write", action="store_true", help="add new versions to digests.txt; listed ones never change"
    )
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(check(options.folder, write=options.write) + "\n")
    except (SettingError, OSError) as error:
        sys.exit(str(error))


def check(folder: Path, *, write: bool) -> str:
    """Return what is to be said where all is well. Raises `SettingError` where it is not."""
    versions = read_prompt_files(folder)
    new = check_digests(folder, versions)
    engine = JinjaEngine()
    for version in versions:
        try:
            check_version(version)
            engine.compile(version.template)
        except InvalidRequest as error:
            raise SettingError(f"{folder / file_of(version)}: {error.message}") from error
    if new and not write:
        files = ", ".join(map(file_of, new))
        raise SettingError(f"{folder / DIGESTS} does not list {files}: add --write, and commit what it changes")
    if new:
        lines = [f"{version.digest}  {file_of(version)}\n" for version in versions]
        (folder / DIGESTS).write_text("".join(lines), "utf-8")
    return f"{len(versions)} published prompt versions, {len(new)} of them new"


if __name__ == "__main__":
    main()
