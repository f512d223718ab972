"""
Jinja2 in its sandbox, cut down to what a prompt needs: text, variables, conditions and a few filters.

Loops, assignments, macros, calls and arithmetic are refused when a template is compiled: without them the work of a
render is bounded by the template's size times the variables', which the sandbox alone does not promise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tollway_servicekit.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template

MAX_NODES = 2000  # a tenth of a second to compile
MAX_VARIABLES_CHARACTERS = 256 * 1024
MAX_OUTPUT_CHARACTERS = 512 * 1024

_FILTERS = ("capitalize", "d", "default", "length", "lower", "title", "trim", "upper")
_TESTS = ("==", "!=", "defined", "eq", "equalto", "in", "ne", "undefined")
_NODES = (
    nodes.And,
    nodes.Compare,
    nodes.CondExpr,
    nodes.Const,
    nodes.Filter,
    nodes.If,
    nodes.Keyword,
    nodes.List,
    nodes.Name,
    nodes.Not,
    nodes.Operand,
    nodes.Or,
    nodes.Output,
    nodes.TemplateData,
    nodes.Test,
    nodes.Tuple,
)


class JinjaEngine:
    """Compiles templates into `JinjaTemplate`s."""

    def __init__(self) -> None:
        # prompts are plain text for a model, never HTML
        env = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
        )
        env.globals.clear()
        env.filters = {name: env.filters[name] for name in _FILTERS}
        env.tests = {name: env.tests[name] for name in _TESTS}
        self._env = env

    def compile(self, source: str) -> JinjaTemplate:
        """Return the template. Raises `InvalidRequest`, PROMPT_TEMPLATE_INVALID, without quoting it."""
        try:
            tree = self._env.parse(source)
            for count, node in enumerate(tree.find_all(nodes.Node), start=1):
                if not isinstance(node, _NODES):
                    raise _invalid(f"line {node.lineno} uses {type(node).__name__}, which prompts cannot")
                if count > MAX_NODES:
                    raise _invalid(f"it has more than {MAX_NODES} parts")
            template = self._env.from_string(source)
        except TemplateSyntaxError as error:
            raise _invalid(
                f"line {error.lineno} is not valid Jinja2, or uses a filter other than {', '.join(_FILTERS)}"
            ) from error
        except (RecursionError, MemoryError, SyntaxError, ValueError) as error:
            raise _invalid("it is nested too deeply, or holds a number that is too long") from error
        return JinjaTemplate(template, _required(tree))


class JinjaTemplate:
    """A compiled template and the variables that it cannot do without."""

    def __init__(self, template: Template, required: frozenset[str]) -> None:
        self._template = template
        self._required = required

    def render(self, variables: Mapping[str, str]) -> str:
        """Return the text. Raises `InvalidRequest`, PROMPT_VARIABLES_INVALID, that names variables and quotes none."""
        missing = sorted(self._required - variables.keys())
        if missing:
            raise InvalidRequest(
                "PROMPT_VARIABLES_INVALID",
                f"the prompt needs the variable{'s' * (len(missing) > 1)} {', '.join(missing)}",
                {"missing": ",".join(missing)},
            )
        if sum(map(len, variables.values())) > MAX_VARIABLES_CHARACTERS:
            raise InvalidRequest(
                "PROMPT_VARIABLES_INVALID", f"the variables hold more than {MAX_VARIABLES_CHARACTERS} characters"
            )
        try:
            return self._bounded(variables)
        except (UndefinedError, TypeError, ValueError) as error:
            raise InvalidRequest(
                "PROMPT_VARIABLES_INVALID",
                f"the prompt cannot be rendered with these variables ({type(error).__name__}); all of them are text",
            ) from error

    def _bounded(self, variables: Mapping[str, str]) -> str:
        parts: list[str] = []
        room = MAX_OUTPUT_CHARACTERS
        for part in self._template.generate(variables):
            room -= len(part)
            if room < 0:
                raise InvalidRequest(
                    "PROMPT_VARIABLES_INVALID", f"the prompt would be longer than {MAX_OUTPUT_CHARACTERS} characters"
                )
            parts.append(part)
        return "".join(parts)


def _required(tree: nodes.Template) -> frozenset[str]:
    """Return the variables without a `default` and without a test whether they are defined."""
    optional = {
        node.node.name
        for node in tree.find_all((nodes.Filter, nodes.Test))
        if node.name in {"d", "default", "defined", "undefined"} and isinstance(node.node, nodes.Name)
    }
    return frozenset(meta.find_undeclared_variables(tree) - optional)


def _invalid(why: str) -> InvalidRequest:
    return InvalidRequest("PROMPT_TEMPLATE_INVALID", f"the template cannot be published: {why}")
