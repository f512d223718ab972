"""Every make target explains itself, and every target that the documents name exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z][a-z0-9-]*):(?!=)(.*)$", MAKEFILE, re.MULTILINE)


def test_every_target_has_a_help_text() -> None:
    assert {"run", "test", "check"} <= {name for name, _ in TARGETS}
    assert [name for name, rest in TARGETS if not re.search(r"## \w", rest)] == []


def test_every_phony_name_is_a_target() -> None:
    named = [name for line in re.findall(r"^\.PHONY:(.*)$", MAKEFILE, re.MULTILINE) for name in line.split()]
    assert sorted(named) == sorted(name for name, _ in TARGETS)


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
    assert [name for name, _ in TARGETS if f"\x1b[36m{name} " not in listed.stdout] == []


def test_every_target_that_the_documents_name_exists() -> None:
    papers = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/*/README.md"), *ROOT.glob("*/README.md")]
    named = {
        (name, str(paper.relative_to(ROOT)))
        for paper in papers
        for name in re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", paper.read_text(), re.MULTILINE)
    }
    assert ("run", "README.md") in named
    assert sorted(named - {(name, paper) for name, _ in TARGETS for _, paper in named}) == []
