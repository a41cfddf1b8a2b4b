"""What the tests of Boxkite's face share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from modelport.boxkite import ModelMonitoringService
from tests.unit.conftest import ListSink

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def _no_artefact(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MODELPORT_HISTOGRAM_PATH", str(tmp_path / "histogram.prom"))
    for name in ("BEDROCK_ENDPOINT_ID", "BEDROCK_SERVER_ID", "PROMETHEUS_MULTIPROC_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where export_text writes and services read by default."""
    return tmp_path / "histogram.prom"


@pytest.fixture
def service(list_sink: Callable[..., ListSink]) -> Iterator[Callable[..., ModelMonitoringService]]:
    """Makes services that log to a list instead of a collector."""
    made: list[ModelMonitoringService] = []

    def make(**options: Any) -> ModelMonitoringService:
        options.setdefault("sinks", [list_sink()])
        made.append(ModelMonitoringService(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def series(body: bytes | str, prefix: str = "") -> Series:
    """Every sample of a scrape or a file whose name begins with `prefix`."""
    text = body.decode() if isinstance(body, bytes) else body
    found: Series = {}
    for family in parse(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            if sample.name.startswith(prefix):
                found[key] = sample.value
    return found


def scraped(service: ModelMonitoringService, prefix: str = "") -> Series:
    assert service.flush()
    return series(service.export_http()[0], prefix)


def live_side(found: Series) -> Series:
    """The serving series of features and output."""
    return {
        key: value
        for key, value in found.items()
        if key[0].startswith(("feature_", "inference_")) and "_baseline" not in key[0]
    }


def training_side(found: Series) -> Series:
    """The training series under the serving names."""
    return {
        (name.replace("_baseline", ""), labels): value
        for (name, labels), value in found.items()
        if name.startswith(("feature_", "inference_")) and "_baseline" in name
    }
