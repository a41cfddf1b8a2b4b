"""The function behind `ModelMonitor.log_many`."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING

from modelport.predictions._batches import MAX_BATCH_ROWS, freeze_rows, rows_of
from modelport.predictions._queued import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from modelport.predictions._drain import Drain

__all__ = ["log_rows"]


def log_rows(
    drain: Drain, features: Iterable[object], outputs: Iterable[object], log: Callable[..., str] | None
) -> list[str]:
    """Queue a batch in entries of up to 1000 rows and return one id per row; never raises.

    With `log`, each row goes through that instead.
    """
    try:
        rows, answers = rows_of(features), rows_of(outputs)
        count, surplus = min(len(rows), len(answers)), abs(len(rows) - len(answers))
    except Exception as error:  # noqa: BLE001 - the request path never raises
        drain.drops.add("encode_error", error=error)
        return []
    if surplus:
        drain.drops.add("encode_error", surplus, ValueError(f"{len(rows)} rows and {len(answers)} outputs"))
    if log is not None:
        return [log(row, answer) for row, answer in zip(rows, answers, strict=False)]
    gate, ids = drain.gate, list[str]()
    for start in range(0, count, MAX_BATCH_ROWS):
        granted, refused = gate.take_many(min(MAX_BATCH_ROWS, count - start))
        ids += granted + refused
        part = slice(start, start + len(granted))
        if granted:
            try:
                batch = Batch(freeze_rows(rows[part]), freeze_rows(answers[part]), granted, time_ns())
            except Exception as error:  # noqa: BLE001 - as above
                drain.drops.add("encode_error", len(granted), error)
            else:
                gate.put_batch(batch)
    return ids
