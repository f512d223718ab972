"""Finds the reasons that the code gives for errors and for failed attempts, by reading it; used by the tests here."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tollway_edge.domain.call import CANCELLED, FAILED
from tollway_servicekit.errors import ERROR_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

# which argument is the reason
PLACES = {error.__name__: 0 for error in ERROR_TYPES.values()} | {"GatewayError": 1, "Failure": 0, "end": 1}
# a call's, beside which attempts end, too
ENDED_BADLY = {status.name for status in (CANCELLED, FAILED)}
ATTEMPT_PLACES = {"UpstreamBroken": 0, "Untranslatable": 0, "Fault": 1, "verdict_of_event": 0}


class Raised(NamedTuple):
    """A reason where it arises."""

    service: str
    name: str
    """What is made with it: a class, or `end` of a call."""
    reason: str
    """`*` stands for what is known only then."""
    kinds: frozenset[str]
    """Of a `GatewayError`: names of `GatewayErrorKind`."""


def raised(folder: Path) -> Iterator[Raised]:
    """Yield all reasons of errors; raises `LookupError` where one cannot be read."""
    for source in _sources(folder):
        for name, arguments, place in source.calls(PLACES):
            if name == "end" and ast.unparse(arguments[0]) not in ENDED_BADLY:
                continue
            kinds = source.kinds(arguments[0]) if name == "GatewayError" else frozenset()
            for reason in source.texts(arguments[place]):
                yield Raised(source.member, name, reason, kinds)


def attempt_reasons(root: Path) -> set[str]:
    """Return all reasons of attempts that were no answer."""
    found: set[str] = set()
    for source in _sources(root / "services" / "provider-dispatch"):
        for _, arguments, place in source.calls(ATTEMPT_PLACES):
            found.update(source.texts(arguments[place]))
    readers = root / "libs" / "dialects" / "tollway_dialects"
    for path in [*readers.glob("*/stream.py"), *root.glob("services/edge/*/adapters/ledger_records.py")]:
        source = _Source(path)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"self.error", "broken_off"}:
                found.update(source.texts(node.value))
    return found


def _sources(folder: Path) -> Iterator[_Source]:
    for path in sorted(folder.rglob("*.py")):
        if not {"tests", ".venv"} & set(path.parts) and "tollway_simulator" not in path.parts:
            yield _Source(path)


class _Source:
    """A module, read and importable."""

    def __init__(self, path: Path) -> None:
        parts = path.with_suffix("").parts
        place = next((place for place, part in enumerate(parts) if part.startswith("tollway_")), len(parts) - 1)
        self.member = parts[place - 1]
        self.tree = ast.parse(path.read_text())
        self._path, self._module = path, ".".join(parts[place:]).removesuffix(".__init__")
        self._owners = {
            below: function
            for function in ast.walk(self.tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for below in ast.walk(function)
        }
        self._bases = {
            below: [ast.unparse(base) for base in owner.bases]
            for owner in ast.walk(self.tree)
            if isinstance(owner, ast.ClassDef)
            for below in ast.walk(owner)
        }

    def calls(self, places: dict[str, int]) -> Iterator[tuple[str, list[ast.expr], int]]:
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name == "__init__":
                name = next((base for base in self._bases.get(node, ()) if base in places), "")
            if name in places and len(node.args) > places[name]:
                yield name, node.args, places[name]

    def kinds(self, node: ast.expr) -> frozenset[str]:
        """Return the members of `GatewayErrorKind` that an argument may be."""
        prefix = "GatewayErrorKind."
        nodes = [each for known in self._known(node) for each in ast.walk(known) if isinstance(each, ast.Attribute)]
        return frozenset(text.removeprefix(prefix) for each in nodes if (text := ast.unparse(each)).startswith(prefix))

    def texts(self, node: ast.expr) -> set[str]:
        """Return the texts that an argument may be; none where it is handed on from another error."""
        found = {text for known in self._known(node) for text in self._texts(known)}
        if not found and not self._is_handed_on(node):
            raise LookupError(f"{self._path.name}:{node.lineno}: cannot read {ast.unparse(node)}")
        return found

    def _is_handed_on(self, node: ast.expr) -> bool:
        return (
            any(
                isinstance(each, ast.Attribute) and each.attr in {"reason", "error"}
                for known in self._known(node)
                for each in ast.walk(known)
            )
            or ast.unparse(node) == "error_type"
        )  # `verdict_of_event`, whose callers are read

    def _known(self, node: ast.expr) -> list[ast.expr]:
        """Return the expressions that a local name was given, or the expression itself."""
        if not isinstance(node, ast.Name) or node not in self._owners:
            return [node]
        told = [
            assigned.value
            for assigned in ast.walk(self._owners[node])
            if isinstance(assigned, ast.Assign) and any(node.id in _names(target) for target in assigned.targets)
        ]
        return told or [node]

    def _texts(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
        elif isinstance(node, ast.IfExp):
            yield from (*self._texts(node.body), *self._texts(node.orelse))
        elif isinstance(node, ast.Name) and node.id.isupper():
            yield from _spelled(getattr(importlib.import_module(self._module), node.id))
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                yield from (text for known in self._known(value) for text in self._texts(known))
        elif not isinstance(node, ast.Compare):
            for below in ast.iter_child_nodes(node):
                yield from self._texts(below)


def _names(target: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}


def _spelled(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _spelled(each)
