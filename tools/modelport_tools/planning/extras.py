"""What operations have beside their own method: items of all pages, and waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from modelport_tools.document import Document, operations

from .links import Links
from .names import unused
from .pagination import with_pages
from .places import Annotations
from .polling import with_follow, with_waits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .plan import EnumPlan, ModelPlan, OperationPlan


def with_extras(
    document: Document, planned: list[OperationPlan], models: Iterable[ModelPlan], enums: Iterable[EnumPlan]
) -> list[OperationPlan]:
    """The operations with what the document's extensions and links give them.

    Raises:
        SpecError: If one of them names something that there is not.
    """
    found = [(item, operation) for _, _, item, operation in operations(document)]
    types = Annotations(models, enums)
    links = Links(document, planned, types)
    planned = [
        with_waits(with_pages(plan, item, operation, links), operation, links)
        for plan, (item, operation) in zip(planned, found, strict=True)
    ]
    links = Links(document, planned, types)  # to operations that are now known to tell of work
    planned = [with_follow(plan, operation, links) for plan, (_, operation) in zip(planned, found, strict=True)]
    return _named(planned)


def _named(planned: list[OperationPlan]) -> list[OperationPlan]:
    """The operations, their further methods under names that no operation of the same tag has.

    ``list_pets`` has ``iter_pets``, ``get_job`` has ``wait_for_job``; where two would share that, or it is taken,
    the whole name is kept: ``iter_list_pets``.
    """
    taken: dict[str, set[str]] = {}
    for plan in planned:
        taken.setdefault(plan.tag, set()).add(plan.name)
    wished = Counter((plan.tag, name) for plan in planned for name in (_short_iter(plan), _short_wait(plan)) if name)

    def named(plan: OperationPlan, short: str, whole: str) -> str:
        is_free = short not in taken[plan.tag] and wished[plan.tag, short] <= 1
        name = short if is_free else unused(whole, taken[plan.tag])
        taken[plan.tag].add(name)
        return name

    result: list[OperationPlan] = []
    for plan in planned:
        pages, polling, follow = plan.pagination, plan.polling, plan.follow
        if pages is not None:
            pages = replace(pages, method=named(plan, _short_iter(plan), f"iter_{plan.name}"))
        if polling is not None:
            polling = replace(polling, method=named(plan, _short_wait(plan), f"wait_for_{plan.name}"))
        if follow is not None:
            whole = f"{plan.name.rstrip('_')}_and_wait"
            follow = replace(follow, method=named(plan, whole, whole))
        result.append(replace(plan, pagination=pages, polling=polling, follow=follow))
    return result


def _short_iter(plan: OperationPlan) -> str:
    return _short("iter_", plan.name, ("list_", "get_")) if plan.pagination else ""


def _short_wait(plan: OperationPlan) -> str:
    return _short("wait_for_", plan.name, ("get_", "read_")) if plan.polling else ""


def _short(prefix: str, name: str, verbs: tuple[str, ...]) -> str:
    rest = next((name.removeprefix(verb) for verb in verbs if name.startswith(verb)), "")
    return f"{prefix}{rest or name}".rstrip("_")
