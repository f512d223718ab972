"""Models: listed page by page, and one by its id. Which there are is the server's affair; how they are told is not."""

from __future__ import annotations

from typing import Any

from checklist import check, raised
from connect import async_client, client


@check
def models_list() -> Any:
    page = client().models.list()
    assert page.data, "no models"
    return {"page": sorted(page.model_dump(exclude_unset=True)), "fields": _fields(page.data), "more": page.has_more}


@check
def models_list_page_by_page() -> Any:
    every = [model.id for model in client().models.list()]
    pages = [model.id for model in client().models.list(limit=1)]
    after = [model.id for model in client().models.list(after_id=every[0])]
    return {"same": pages == every, "after the first": after == every[1:]}


@check
async def models_list_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        return _fields([model async for model in asynchronous.models.list()])


@check
def model_by_its_id() -> Any:
    first = client().models.list().data[0]
    found = client().models.retrieve(first.id)
    assert found.id == first.id
    return {"fields": _fields([found]), "same": found.model_dump() == first.model_dump()}


@check
def a_model_that_there_is_not() -> Any:
    error = raised(lambda: client().models.retrieve("no-such-model"))
    return {"class": type(error).__name__, "type": error.body["error"]["type"]}  # type: ignore[attr-defined]


def _fields(models: list[Any]) -> Any:
    """Name the fields that the SDK wants of every model, as they came; more may be told."""
    wanted = [name for name, field in type(models[0]).model_fields.items() if field.is_required()]
    return [{name: type(getattr(model, name, None)).__name__ for name in wanted} for model in models[:1]]
