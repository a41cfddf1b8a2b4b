"""The benchmark's own arithmetic: what it calls met, what it prints, and that it counts a collector's records right."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import msgpack
import pytest

from tests.bench.losses import Outcome
from tests.bench.peers import run, workers
from tests.bench.peers.collector import Arrived, Collector
from tests.bench.peers.tables import Bar, Part, bars_of, render


@pytest.mark.parametrize(
    ("value", "least", "met"), [(2.0, False, True), (2.01, False, False), (2.0, True, True), (1.99, True, False)]
)
def test_a_figure_on_its_bar_meets_it(value: float, least: bool, met: bool) -> None:
    assert Bar("x", value, 2, least=least).met is met


def test_of_several_runs_the_worst_decides_and_both_ends_are_shown() -> None:
    def part(value: float, least: float) -> Part:
        return Part("", (), (), [Bar("most", value, 2), Bar("least", least, 25, least=True)])

    most, least = bars_of([[part(1.5, 30)], [part(2.5, 20)], [part(1.0, 40)]])

    assert (most.value, most.met, most.cells()[1]) == (2.5, False, "1 to 2.5 x")
    assert (least.value, least.met, least.cells()[1]) == (20, False, "20 to 40 x")


def test_markdown_has_a_line_a_row_and_escapes_bars() -> None:
    text = render(Part("T", ("a", "b"), [("1|2", "3")]), markdown=True)

    assert text == "### T\n\n| a | b |\n| --- | --- |\n| 1\\|2 | 3 |\n"


def test_tables_go_between_the_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{run._BEGIN}\nold\n{run._END}\nafter\n", encoding="utf-8")

    run._put("new", document)
    run._put("newer", document)

    assert document.read_text(encoding="utf-8") == f"before\n{run._BEGIN}\n\nnewer\n\n{run._END}\nafter\n"


def test_the_page_of_the_figures_has_the_marks(root: Path) -> None:
    text = (root / "docs" / "monitoring-performance.md").read_text(encoding="utf-8")

    assert text.count(run._BEGIN) == text.count(run._END) == 1


def test_turns_alternate_leave_out_the_first_round_and_what_fails() -> None:
    asked: list[str] = []

    def ask(name: str) -> dict[str, Any] | None:
        asked.append(name)
        return None if asked == ["a", "b", "c", "a", "b"] else {"ns": len(asked)}

    found = workers.turns({name: lambda name=name: ask(name) for name in "abc"}, rounds=2)

    assert asked == ["a", "b", "c", "a", "b", "c", "a", "c"]
    assert {name: one["ns"].values for name, one in found.items()} == {"a": [4, 7], "c": [6, 8]}


def test_a_peer_that_is_missing_is_named_and_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(workers, "_VENVS", tmp_path)
    with workers.team() as team:
        assert team.ask("whylogs", "rows") is None
        assert team.missing == {"whylogs": "whylogs is not installed: run `make bench-peers`"}


def test_a_case_that_fails_is_named_and_the_next_still_answers() -> None:
    with workers.team() as team:
        assert team.ask("modelport", "no such case") is None
        assert "KeyError" in team.missing["modelport, no such case"]
        answer = team.ask("modelport", "append", 1000)

    assert answer is not None
    assert answer["ns"] > 0


def test_more_arriving_than_the_page_tells_is_no_loss() -> None:
    assert Outcome(logged=10, arrived=12, different=11, told=None).lost == 0
    assert Outcome(logged=10, arrived=12, different=7, told=None).lost == 3


def test_a_collector_counts_each_form_of_the_protocol_and_acknowledges_after_writing(tmp_path: Path) -> None:
    def record(number: int) -> dict[str, Any]:
        return {"output": number, "prediction_id": f"p{number}"}

    entries = b"".join(_packed([number, record(number)]) for number in (3, 4))
    messages: list[list[Any]] = [
        ["tag", 0, record(1)],
        ["tag", [[0, record(1)], [0, record(2)]], {"chunk": "a"}],
        ["tag", entries, {"chunk": "b"}],
    ]
    collector = Collector(file=tmp_path / "ids")
    try:
        with socket.create_connection(("127.0.0.1", collector.port), timeout=30) as connection:
            connection.sendall(b"".join(map(_packed, messages)))
            unpacker: Any = msgpack.Unpacker()
            answers: list[Any] = []
            while len(answers) < 2:
                unpacker.feed(connection.recv(1000))
                answers += list(unpacker)
        assert answers == [{"ack": "a"}, {"ack": "b"}]
        assert collector.arrived() == Arrived(records=5, different=4)
        assert (tmp_path / "ids").read_text().split() == ['"p1"', '"p1"', '"p2"', '"p3"', '"p4"']
    finally:
        collector.stop()


def _packed(message: object) -> bytes:
    packed = msgpack.packb(message)
    assert isinstance(packed, bytes)
    return packed


def test_ours_and_prometheus_run_in_this_interpreter_and_peers_in_their_own(tmp_path: Path) -> None:
    assert workers.interpreter("modelport") == workers.interpreter("prometheus") == sys.executable
    assert set(workers.PEERS) <= {file.stem for file in (workers._ROOT / "tests/setup/peers").glob("*.txt")}
