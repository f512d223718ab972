"""Reads `<name>/v<N>.txt` and digests.txt; used at start and by the digests command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tollway_servicekit.settings import SettingError

from tollway_prompt_registry.domain.prompts import NAME, PromptVersion

if TYPE_CHECKING:
    from pathlib import Path

DIGESTS = "digests.txt"

_FILE = re.compile(r"v([1-9][0-9]{0,8})\.txt")
_DIGEST_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def file_of(version: PromptVersion) -> str:
    """Path of a version's file inside the prompts folder; also its name in digests.txt."""
    return f"{version.name}/v{version.version}.txt"


def read_prompt_files(folder: Path) -> list[PromptVersion]:
    """
    Return every version of a folder, by name and number.

    Raises:
        SettingError: A name is not as it must be, or a file is not UTF-8.
    """
    versions = []
    for prompt in _entries(folder):
        if not prompt.is_dir():
            continue
        if not NAME.fullmatch(prompt.name):
            raise SettingError(f"{prompt}: a prompt's folder is named in lower-case letters, digits and hyphens")
        versions += [_read_version(file) for file in _entries(prompt)]
    return sorted(versions, key=lambda version: (version.name, version.version))


def read_digests(folder: Path) -> dict[str, str]:
    """
    Return digest by file, as digests.txt lists them (`sha256sum` reads it too); none where there is no such file.

    Raises:
        SettingError: A line is not a digest and a file.
    """
    path = folder / DIGESTS
    if not path.exists():
        return {}
    digests = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        match = _DIGEST_LINE.fullmatch(line)
        if not match:
            raise SettingError(f"{path}, line {number}: a line is 64 hex digits, two spaces and a file")
        digests[match[2]] = match[1]
    return digests


def check_digests(folder: Path, versions: list[PromptVersion]) -> list[PromptVersion]:
    """
    Compare versions with digests.txt; return those that it does not list.

    Raises:
        SettingError: A listed version changed or is gone; the message says which and what to do instead.
    """
    listed = read_digests(folder)
    found = {file_of(version): version for version in versions}
    for file, digest in listed.items():
        if file not in found:
            raise SettingError(f"{folder / file} is published ({DIGESTS} lists it) but missing: put it back")
        if found[file].digest != digest:
            raise changed(folder, found[file], versions)
    return [version for file, version in found.items() if file not in listed]


def changed(folder: Path, version: PromptVersion, versions: list[PromptVersion]) -> SettingError:
    """Return the error that says that a published version's file has another text now."""
    following = max(other.version for other in versions if other.name == version.name) + 1
    return SettingError(
        f"{folder / file_of(version)} changed after it was published, and a published version never changes: "
        f"put its old text back and save the new one as {folder / version.name}/v{following}.txt"
    )


def _entries(folder: Path) -> list[Path]:
    # names with a leading dot belong to tools: .gitattributes, the ..data of a mounted ConfigMap
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _read_version(file: Path) -> PromptVersion:
    match = _FILE.fullmatch(file.name)
    if not match:
        raise SettingError(f"{file}: a prompt's files are named v1.txt, v2.txt and so on")
    try:
        # bytes, not text: the digest is of the file as it lies there
        return PromptVersion(file.parent.name, int(match[1]), file.read_bytes().decode())
    except UnicodeDecodeError:
        raise SettingError(f"{file} is not UTF-8 text; save it as UTF-8") from None
