"""What a JSON schema has to look like, whose values `samples` makes; asked by both providers' checks."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Length = Annotated[int, msgspec.Meta(ge=0)]


class _Schema(msgspec.Struct):
    """The keywords that are looked at, as JSON Schema draft 2020-12 has them; all others are allowed."""

    type: str | list[str] | msgspec.UnsetType = msgspec.UNSET
    properties: dict[str, _Schema | bool] | msgspec.UnsetType = msgspec.UNSET
    required: list[str] | msgspec.UnsetType = msgspec.UNSET
    items: _Schema | bool | msgspec.UnsetType = msgspec.UNSET
    enum: list[Any] | msgspec.UnsetType = msgspec.UNSET
    examples: list[Any] | msgspec.UnsetType = msgspec.UNSET
    any_of: list[_Schema | bool] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="anyOf")
    one_of: list[_Schema | bool] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="oneOf")
    all_of: list[_Schema | bool] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="allOf")
    reference: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="$ref")
    defs: dict[str, _Schema | bool] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="$defs")
    definitions: dict[str, _Schema | bool] | msgspec.UnsetType = msgspec.UNSET
    format: str | msgspec.UnsetType = msgspec.UNSET
    min_length: Length | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="minLength")
    max_length: Length | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="maxLength")
    min_items: Length | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="minItems")
    max_items: Length | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="maxItems")
    minimum: float | msgspec.UnsetType = msgspec.UNSET
    maximum: float | msgspec.UnsetType = msgspec.UNSET
    above: float | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="exclusiveMinimum")
    below: float | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="exclusiveMaximum")
    multiple_of: Annotated[float, msgspec.Meta(gt=0)] | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="multipleOf"
    )


def why_no_schema(given: Any) -> str | None:
    """Return what keeps a value from being a schema, if something does."""
    try:
        msgspec.convert(given, _Schema | bool)
    except msgspec.ValidationError as error:
        return str(error)
    return None
