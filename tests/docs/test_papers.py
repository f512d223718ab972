"""What the documents say of headers, endpoints, decisions and one another is true."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from tollway_edge.domain.workspaces import Workspaces
from tollway_edge.entrypoints.api import build_api
from tollway_edge.entrypoints.hot_routes import HOT_PATHS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DECISIONS = ROOT / "docs" / "decisions"
RESERVED = {
    "0006": "llm-provider-cascade",
    "0009": "usage-metering",
    "0012": "prompt-versioning",
    "0019": "prompt-cache-strategy",
}
# where a home, a checkout or a scratch folder of one machine begins
ONE_MACHINE = re.compile(r"(?<![\w.}$])/(?:work|root|home/\w+|Users/\w+|tmp/w)/")
# a folder inside images, not on the machine that builds them
IN_IMAGES = re.compile(r"(?<=target=)/root(?=/\.cache)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@cache
def files() -> list[Path]:
    """All files that are committed, or would be."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so nobody knows which files belong to the project")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def test_the_readme_tells_every_gateway_header() -> None:
    sources = "".join(path.read_text() for path in ROOT.glob("services/edge/tollway_edge/**/*headers.py"))
    names = set(re.findall(r"(x-gateway-[a-z-]+)[:\"]", sources))
    assert {"x-gateway-model", "x-gateway-query-id"} <= names
    told = {name.lower() for name in re.findall(r"`(X-Gateway-[A-Za-z-]+)`", README)}
    assert names == told


def test_the_readme_tells_every_endpoint() -> None:
    api = build_api(Workspaces(), None, None, None, CollectorRegistry())
    served = {
        f"{method} {route.path}".replace(":path", "") for route in api.routes for method in route.methods - {"HEAD"}
    }
    served |= {f"POST {path.decode()}" for path in HOT_PATHS}
    assert set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", README, re.MULTILINE)) == served


def test_decisions_have_numbers_of_their_own_and_leave_the_reserved_ones_to_their_titles() -> None:
    found = [re.fullmatch(r"ADR-(\d{4})-([a-z0-9-]+)\.md", path.name) for path in DECISIONS.glob("ADR-*")]
    assert all(found)
    numbers = [match[1] for match in found]
    assert {"0001", "0002", "0003", "0004"} <= set(numbers)
    assert len(numbers) == len(set(numbers))
    assert [match[0] for match in found if RESERVED.get(match[1], match[2]) != match[2]] == []


def test_a_decision_has_its_four_parts_and_a_row_in_the_list() -> None:
    listed = (DECISIONS / "README.md").read_text()
    for path in DECISIONS.glob("ADR-*"):
        text = path.read_text()
        assert text.startswith(f"# {path.name[:8]}: ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Alternatives", "Consequences"]
        assert f"({path.name})" in listed


def test_relative_links_lead_somewhere() -> None:
    papers = [path for path in files() if path.suffix == ".md"]
    assert ROOT / "README.md" in papers
    assert [lost for paper in papers for lost in lost_links(paper)] == []


def lost_links(paper: Path) -> list[str]:
    lost = []
    for link in LINK.findall(prose(paper)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (paper.parent / name).resolve() if name else paper
        if not target.exists() or (heading and heading not in headings(target)):
            lost.append(f"{paper.relative_to(ROOT)}: {link}")
    return lost


def prose(paper: Path) -> str:
    return re.sub(r"^```.*?^```$", "", paper.read_text(), flags=re.MULTILINE | re.DOTALL)


def headings(paper: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", prose(paper), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_a_lost_link_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    paper = tmp_path / "a.md"
    paper.write_text("# What, where?\n[here](#what-where) [gone](b.md) [no such part](a.md#else) [far](https://x.y)\n")
    assert lost_links(paper) == ["a.md: b.md", "a.md: a.md#else"]


def test_no_file_is_tied_to_one_machine() -> None:
    tied = [f"{path.relative_to(ROOT)}: {found}" for path in files() for found in machine_paths(path)]
    assert tied == []


def machine_paths(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return []
    return ONE_MACHINE.findall(IN_IMAGES.sub("", text) if path.name == "Dockerfile" else text)


def test_a_path_of_one_machine_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("see " + "/".join(["", "root", "notes"]) + " and https://example.com/work/")
    assert machine_paths(file) == ["/".join(["", "root", ""])]


def test_the_lock_names_the_public_index_alone() -> None:
    lock = (ROOT / "uv.lock").read_text()
    assert set(re.findall(r'"https?://([^/"]+)', lock)) == {"pypi.org", "files.pythonhosted.org"}


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text()
