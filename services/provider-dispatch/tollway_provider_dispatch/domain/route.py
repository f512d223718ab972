"""Which provider and model a call goes to; asked once for each call by `dispatch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.wires import WIRES
from tollway_servicekit.errors import NotFound, Unavailable

from tollway_provider_dispatch.domain.candidate import Candidate
from tollway_provider_dispatch.domain.dialects import dialect_for
from tollway_provider_dispatch.domain.policy import Fallback, Policy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tollway_provider_dispatch.domain.candidate import Traits
    from tollway_provider_dispatch.domain.provider import Provider, ProviderKind

# a model that the configuration does not know goes to the provider that the dialect comes from
NATIVE = {
    Dialect.ANTHROPIC_MESSAGES: "anthropic",
    Dialect.ANTHROPIC_COUNT_TOKENS: "anthropic",
    Dialect.OPENAI_CHAT: "openai",
    Dialect.OPENAI_RESPONSES: "openai",
    Dialect.OPENAI_EMBEDDINGS: "openai",
    Dialect.OPENAI_INPUT_TOKENS: "openai",
}


MOST_REMEMBERED = 1024
EVERYBODY = Policy()


class Chain:
    """
    The providers that have keys, in order, and what they serve.

    Args:
        providers: In the order in which they are preferred.
        models: The kinds of provider that serve each known model.
        embedders: Those of the known models that turn input into vectors; they do nothing else, and no other does.
        traits: What else is known of models.
        usual: What holds for a model that is not known.
        cascades: Each provider's models in the order in which they stand in for one another.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        models: Mapping[str, Sequence[ProviderKind]],
        embedders: Collection[str] = (),
        traits: Mapping[str, Traits] | None = None,
        cascades: Mapping[str, Sequence[str]] | None = None,
        usual: Traits | None = None,
    ) -> None:
        self._providers = tuple(providers)
        self._models = models
        self._embedders = frozenset(embedders)
        self._traits = traits or {}
        self._cascades = cascades or {}
        self._usual = usual
        self._found: dict[tuple[tuple[str, ...], Dialect, Policy], tuple[Candidate, ...]] = {}
        """What was found before; clients invent names, so it begins anew where it is full."""

    @property
    def providers(self) -> tuple[Provider, ...]:
        return self._providers

    def models_of(self, provider: Provider) -> list[str]:
        """Return the known models that a provider serves, those of its cascade first."""
        served = [model for model in self._models if self._dialects(provider, model)]
        return list(dict.fromkeys((*self._cascades.get(provider.name, ()), *served)))

    @property
    def provider_names(self) -> list[str]:
        return [provider.name for provider in self._providers]

    def provider(self, name: str) -> Provider | None:
        """Return the provider of a name; None where it has no key any more."""
        return next((provider for provider in self._providers if provider.name == name), None)

    def candidates(self, models: Sequence[str], dialect: Dialect, policy: Policy = EVERYBODY) -> tuple[Candidate, ...]:
        """
        Return who can be asked, in order: each model's providers, then whom the policy lets stand in.

        `provider/model` names one provider alone.

        Raises:
            Unavailable: No provider is configured at all.
            NotFound: None of the models is served in this dialect by a provider that is allowed.
        """
        asked = (tuple(models), dialect, policy)
        found = self._found.get(asked)
        if found is None:
            found = tuple(self._allowed(models, dialect, policy))
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[asked] = found
        return found

    def _allowed(self, models: Sequence[str], dialect: Dialect, policy: Policy) -> list[Candidate]:
        found = list(self._find(models, dialect))
        if not found:
            raise self._refusal(models[0], dialect)
        allowed: dict[tuple[str, str], Candidate] = {}
        for each in (*found, *self._stand_ins(found, dialect, policy.fallback)):
            if policy.allows(each.provider.name):
                allowed.setdefault((each.provider.name, each.upstream_name), each)
        if not allowed:
            names = ", ".join(dict.fromkeys(each.provider.name for each in found))
            message = f"model {models[0]!r} is served by {names}, which this workspace does not allow: name another"
            raise NotFound("PROVIDER_NOT_ALLOWED", message)
        return list(allowed.values())

    def _find(self, models: Sequence[str], dialect: Dialect) -> Iterator[Candidate]:
        for asked in models:
            pinned, _, rest = asked.partition("/")
            one = self.provider(pinned) if rest and asked not in self._models else None
            model = rest if one else asked
            stood_in = False
            for provider in (one,) if one else self._providers:
                spoken = provider.kind.paths if one else self._dialects(provider, model, dialect)
                speaks = dialect_for(dialect, spoken)
                # the simulator stands in where nobody else answers, and is no fallback
                if speaks and not (provider.serves_any_model and stood_in):
                    stood_in = True
                    yield self._candidate(provider, model, dialect, speaks)

    def _stand_ins(self, found: Sequence[Candidate], dialect: Dialect, fallback: Fallback) -> Iterator[Candidate]:
        if fallback is Fallback.SAME_MODEL:
            return
        others = self._providers if fallback is Fallback.ANY else ()
        for provider in {each.name: each for each in (*(one.provider for one in found), *others)}.values():
            cascade = self._cascades.get(provider.name, ())
            named = [each.model for each in found if each.provider is provider and each.model in cascade]
            # a provider's own models stand in for the one that was named from there on
            for model in cascade[cascade.index(named[-1]) + 1 :] if named else cascade:
                if speaks := dialect_for(dialect, self._dialects(provider, model)):
                    yield self._candidate(provider, model, dialect, speaks)

    def _candidate(self, provider: Provider, model: str, asked: Dialect, speaks: Dialect) -> Candidate:
        traits = self._traits.get(model, self._usual)
        return Candidate.of(provider, model, traits, None if speaks is asked else speaks)

    def served(self) -> Iterator[tuple[str, Provider, list[Dialect]]]:
        """Known models, each with the provider that it would go to and the dialects in which it can be asked."""
        for model in self._models:
            for provider in self._providers:
                if dialects := self._dialects(provider, model):
                    asked = [dialect for dialect in WIRES if dialect_for(dialect, dialects)]
                    yield model, provider, asked
                    break

    def _dialects(self, provider: Provider, model: str, asked: Dialect | None = None) -> list[Dialect]:
        """
        Return the dialects in which a provider serves a model.

        A model that is not known goes to the provider that the dialect comes from. The simulator stands in for every
        provider, so it serves a known model as the first of that model's own providers would, its maker.
        """
        kinds = self._models.get(model)
        if kinds is None and model in self._cascades.get(provider.name, ()):
            kinds = [provider.kind]
        if kinds is None:
            serves = asked is not None and (provider.serves_any_model or provider.name == NATIVE[asked])
            return [dialect for dialect in provider.kind.paths if serves and dialect == asked]
        if provider.serves_any_model:
            spoken = [dialect for dialect in provider.kind.paths if any(dialect in kind.paths for kind in kinds[:1])]
        else:
            spoken = list(provider.kind.paths) if provider.name in {kind.name for kind in kinds} else []
        embeds = model in self._embedders
        return [dialect for dialect in spoken if (dialect is Dialect.OPENAI_EMBEDDINGS) == embeds]

    def _refusal(self, model: str, dialect: Dialect) -> NotFound | Unavailable:
        if not self._providers:
            return Unavailable("NO_PROVIDER", "no provider has a key: set one, e.g. ANTHROPIC_API_KEY, and restart")
        elsewhere = [
            f"{', '.join(f'POST {WIRES[other].path}' for other in others)} ({provider.name})"
            for provider in self._providers
            if (others := [dialect for dialect in WIRES if dialect_for(dialect, self._dialects(provider, model))])
        ]
        if elsewhere:
            return NotFound("MODEL_NOT_SERVED", f"model {model!r} is served at {' and '.join(elsewhere)} only")
        names = [kind.name for kind in self._models.get(model, ())] or [NATIVE[dialect]]
        variables = " or ".join(f"{name.upper()}_API_KEY" for name in names)
        return NotFound("MODEL_NOT_SERVED", f"no provider with a key serves model {model!r}: set {variables}")
