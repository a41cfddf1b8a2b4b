"""How a monitor lives through forks and the ends of a process; each in an interpreter of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from modelport.predictions import read_predictions

Eventually = Callable[[Callable[[], object]], None]
posix = pytest.mark.skipif(os.name != "posix", reason="needs fork and signals")

HEAVY = {"numpy", "pandas", "prometheus_client", "fluent", "msgpack", "jinja2"}
PROLOGUE = """
import os, signal, sys, threading, time
from modelport.monitor import ModelMonitor
from modelport.predictions import FileSink
directory = sys.argv[1]
"""


def run(program: str, *arguments: object, expect: int = 0) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", PROLOGUE + program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert answer.returncode == expect, answer.stderr
    return answer.stdout


def outputs(directory: Path) -> list[object]:
    return sorted(record.output for record in read_predictions(directory))  # type: ignore[type-var]


def test_a_normal_end_loses_nothing(tmp_path: Path) -> None:
    run(
        "m = ModelMonitor('e', sinks=[FileSink(directory)], interval=60)\nfor n in range(5000): m.log([n], n)", tmp_path
    )

    assert outputs(tmp_path) == list(range(5000))


@posix
@pytest.mark.parametrize("made", ["before", "after"])
@pytest.mark.parametrize("way", ["fork", "spawn", "forkserver"])
def test_a_child_of_multiprocessing_loses_nothing_though_it_calls_no_exit_hook(
    tmp_path: Path, way: str, made: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""
import multiprocessing, sys
from modelport.monitor import ModelMonitor
from modelport.predictions import FileSink

def monitor():
    return ModelMonitor('e', sinks=[FileSink(sys.argv[1])], interval=60)

if {made == "before"}:
    m = monitor()

def work(start):
    mine = m if {made == "before"} else monitor()
    for n in range(start, start + 1000):
        mine.log([n], n)

if __name__ == "__main__":
    context = multiprocessing.get_context({way!r})
    children = [context.Process(target=work, args=(start,)) for start in (0, 1000)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
""")
    subprocess.run([sys.executable, program, tmp_path / "log"], check=True, timeout=100)

    assert outputs(tmp_path / "log") == list(range(2000))


def test_an_exception_at_the_top_loses_nothing(tmp_path: Path) -> None:
    run(
        "m = ModelMonitor('e', sinks=[FileSink(directory)], interval=60)\nm.log([1], 1)\nraise SystemExit(3)",
        tmp_path,
        expect=3,
    )

    assert outputs(tmp_path) == [1]


def test_a_monitor_nobody_holds_on_to_ships_at_the_end(tmp_path: Path) -> None:
    run("ModelMonitor('e', sinks=[FileSink(directory)], interval=60).log([1], 1)", tmp_path)

    assert outputs(tmp_path) == [1]


def test_the_first_prediction_in_an_exit_handler_is_shipped(tmp_path: Path) -> None:
    run(
        "import atexit\nm = ModelMonitor('e', sinks=[FileSink(directory)])\natexit.register(lambda: m.log([1], 1))",
        tmp_path,
    )

    assert outputs(tmp_path) == [1]


@posix
def test_a_forked_child_ships_its_own_and_only_its_own(tmp_path: Path) -> None:
    run(
        """
m = ModelMonitor('e', sinks=[FileSink(directory)], interval=60)
for n in range(100): m.log([n], n)
ids = {m.log([0], -1)}
children = []
for child in range(3):
    pid = os.fork()
    if not pid:
        for n in range(100): m.log([n], 1000 * (child + 1) + n)
        assert m.log([0], -1) not in ids
        assert m._drain.drained == 0
        sys.exit(0 if m.close(30) else 9)
    children.append(pid)
assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
""",
        tmp_path,
    )

    expected = [*range(100), *(1000 * child + n for child in (1, 2, 3) for n in range(100)), -1, -1, -1, -1]
    assert outputs(tmp_path) == sorted(expected)


@posix
def test_a_fork_amid_traffic_leaves_no_lock_behind(tmp_path: Path) -> None:
    run(
        """
from modelport.drift import Baseline
baseline = Baseline.from_data({'a': [float(n) for n in range(100)]})
m = ModelMonitor('e', baseline=baseline, sinks=[FileSink(directory)], interval=0.0001)
stop = threading.Event()
logged = [0]
def work():
    while not stop.is_set():
        m.log([float(logged[0])], 0); logged[0] += 1
        time.sleep(0.0002)
worker = threading.Thread(target=work); worker.start()
for _ in range(20):
    pid = os.fork()
    if not pid:
        for n in range(50): m.log([1.0], 1)
        ok = m.close(30) and m.counts.records == 50 and sum(m.dropped.values()) == 0
        os._exit(0 if ok else 9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
stop.set(); worker.join()
assert m.close(30) and m.counts.records == logged[0]
print(logged[0])
""",
        tmp_path,
    )

    found = outputs(tmp_path)
    assert found.count(1) == 20 * 50


@posix
def test_a_forked_child_leaves_the_parents_connection_alone(tmp_path: Path) -> None:
    run(
        """
import socket, msgpack
from modelport.predictions import FluentSink
server = socket.create_server(('127.0.0.1', 0))
accepted, got = [], []
def serve(connection):
    unpacker = msgpack.Unpacker(timestamp=0)
    while data := connection.recv(65536):
        unpacker.feed(data)
        for tag, entries, option in unpacker:
            got.extend(record['output'] for _, record in entries)
            connection.sendall(msgpack.packb({'ack': option['chunk']}))
def accept():
    while True:
        connection, _ = server.accept()
        accepted.append(connection)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
m = ModelMonitor('e', sinks=[FluentSink('127.0.0.1', server.getsockname()[1])])
m.log([0], 'parent'); assert m.flush(30)
pid = os.fork()
if not pid:
    m.log([0], 'child')
    os._exit(0 if m.close(30) else 9)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
m.log([0], 'parent again'); assert m.close(30)
assert got == ['parent', 'child', 'parent again'], got
assert len(accepted) == 2
""",
        tmp_path,
    )


@posix
def test_a_child_that_is_forked_during_the_first_scrape_can_be_scraped(tmp_path: Path) -> None:
    run(
        """
from modelport.drift import Baseline
m = ModelMonitor('e', baseline=Baseline.from_data({'a': [1.0, 2.0]}))
amid, go = threading.Event(), threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == 'prometheus_client.exposition' and threading.current_thread() is scrape:
            amid.set(); go.wait(); time.sleep(0.2)
sys.meta_path.insert(0, Slow())
scrape = threading.Thread(target=m.metrics_text)
scrape.start()
amid.wait()
# The last to be told of a fork is the first to hear of it.
os.register_at_fork(before=go.set)
pid = os.fork()
if not pid:
    signal.alarm(20)
    m.metrics_text()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
""",
        tmp_path,
    )


SIGTERM_PROGRAM = """
{before}
m = ModelMonitor('e', sinks=[FileSink(directory)], interval=60)
{install}
for n in range(3000): m.log([n], n)
os.kill(os.getpid(), signal.SIGTERM)
{after}
"""


@posix
def test_sigterm_with_our_handler_loses_nothing_and_still_ends_by_the_signal(tmp_path: Path) -> None:
    program = SIGTERM_PROGRAM.format(before="", install="m.install_signal_handlers()", after="time.sleep(60)")

    run(program, tmp_path, expect=-signal.SIGTERM)

    assert outputs(tmp_path) == list(range(3000))


@posix
@pytest.mark.parametrize("own", ["", "signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(5))"])
def test_a_signal_ships_and_closes_every_monitor_of_the_process(tmp_path: Path, own: str) -> None:
    told = run(
        f"""
from modelport.predictions import Sink
class Told(Sink):
    def __init__(self, name): self.name = name
    def write(self, records): print('wrote', self.name, flush=True)
    def close(self): print('closed', self.name, flush=True)
{own}
monitors = [ModelMonitor('e', sinks=[Told(name)], interval=60) for name in 'ab']
for m in monitors: m.install_signal_handlers()
monitors.append(ModelMonitor('e', sinks=[Told('c')], interval=60))
for m in monitors: m.log([1], 1)
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
""",
        tmp_path,
        expect=5 if own else -signal.SIGTERM,
    )

    assert sorted(told.splitlines()) == sorted(f"{what} {name}" for name in "abc" for what in ("wrote", "closed"))


@posix
def test_the_applications_own_handler_is_still_called(tmp_path: Path) -> None:
    program = SIGTERM_PROGRAM.format(
        before="signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(5))",
        install="m.install_signal_handlers()",
        after="time.sleep(60)",
    )

    run(program, tmp_path, expect=5)

    assert outputs(tmp_path) == list(range(3000))


@posix
def test_an_ignored_sigterm_stays_ignored(tmp_path: Path) -> None:
    program = SIGTERM_PROGRAM.format(
        before="signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        install="m.install_signal_handlers()",
        after="print('alive', flush=True); os._exit(0)",
    )

    assert run(program, tmp_path) == "alive\n"
    assert outputs(tmp_path) == list(range(3000))


@posix
def test_a_monitor_installs_no_handler_by_itself(tmp_path: Path) -> None:
    run(
        """
m = ModelMonitor('e', sinks=[FileSink(directory)])
m.log([1], 1)
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
""",
        tmp_path,
    )


@posix
def test_sigterm_during_a_flush_does_not_hang(tmp_path: Path) -> None:
    run(
        """
from modelport.predictions import Sink
class Stuck(Sink):
    name = 'stuck'
    def write(self, records): time.sleep(1000)
m = ModelMonitor('e', sinks=[Stuck(), FileSink(directory)])
m.install_signal_handlers(timeout=0.5)
m.log([1], 1)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
m.flush(60)
""",
        tmp_path,
        expect=-signal.SIGTERM,
    )

    assert outputs(tmp_path) == [1]


@posix
def test_sigterm_while_the_monitor_is_being_closed_still_ships(tmp_path: Path) -> None:
    run(
        """
from modelport.predictions import CallableSink
def slow(records):
    started.set(); time.sleep(1); real.write(records)
started, real = threading.Event(), FileSink(directory)
m = ModelMonitor('e', sinks=[CallableSink(slow)])
m.install_signal_handlers(timeout=1000)
m.log([1], 1)
def end():
    started.wait(); os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end).start()
m.close(1000)
""",
        tmp_path,
        expect=-signal.SIGTERM,
    )

    assert outputs(tmp_path) == [1]


@posix
def test_sigterm_in_the_middle_of_a_log_call_ships_all_and_waits_for_no_lock(tmp_path: Path) -> None:
    told = run(
        """
import numpy as np
m = ModelMonitor('e', sinks=[FileSink(directory)], interval=60)
m.install_signal_handlers(timeout=50)
m.log_many(np.zeros((3000, 2)), list(range(3000)))
m.log_many([[object()]], [0])
began = time.monotonic()
gate, drops = m._drain.gate, m._drain.drops
close = m.close
m.close = lambda timeout: (close(timeout), print(m.dropped, time.monotonic() - began < 40, flush=True))
with gate._lock, drops._adding:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(100)
""",
        tmp_path,
        expect=-signal.SIGTERM,
    )

    assert "True" in told
    assert outputs(tmp_path) == list(range(3000))


@posix
def test_sigterm_during_a_shared_scrape_ends_the_process_and_keeps_the_counts(tmp_path: Path) -> None:
    program = """
from modelport.drift import Baseline
baseline = Baseline.from_data({"a": [1.0, 2.0, 3.0]})
m = ModelMonitor('e', baseline=baseline, multiprocess_dir=directory)
"""
    run(
        program
        + """
m.install_signal_handlers(timeout=50)
for n in range(3): m.log([1.0], n)
group = m._figures._group
figures = group._figures
def amid():
    group._figures = figures
    os.kill(os.getpid(), signal.SIGTERM)
    return figures()
threading.Timer(60, os._exit, (9,)).start()
group._figures = amid
m.metrics_view()
""",
        tmp_path,
        expect=-signal.SIGTERM,
    )

    assert run(f"{program}print(m.metrics_view().predictions)", tmp_path) == "3\n"


@posix
def test_what_goes_wrong_in_shipping_keeps_no_handler_from_being_called(tmp_path: Path) -> None:
    run(
        """
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(5))
m = ModelMonitor('e')
m.install_signal_handlers()
m._pipeline.flush = None
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
""",
        tmp_path,
        expect=5,
    )


def test_a_monitor_that_was_collected_ships_at_the_end(tmp_path: Path) -> None:
    run(
        """
import gc
class Own(ModelMonitor):
    def log(self, *args, **kwargs): return super().log(*args, **kwargs)
Own('e', sinks=[FileSink(directory)], interval=60).log([1], 1)
gc.collect()
""",
        tmp_path,
    )

    assert outputs(tmp_path) == [1]


def test_a_monitor_that_cannot_be_closed_at_the_end_keeps_no_other_from_it(tmp_path: Path) -> None:
    run(
        """
class Bad(ModelMonitor):
    def close(self, timeout=5.0): raise RuntimeError('cannot')
bad = [Bad('b'), Bad('b')]
m = ModelMonitor('e', sinks=[FileSink(directory)], interval=60)
m.log([1], 1)
more = [Bad('b'), Bad('b')]
""",
        tmp_path,
    )

    assert outputs(tmp_path) == [1]


@posix
def test_a_sink_that_fails_at_a_fork_keeps_the_others_going(tmp_path: Path) -> None:
    run(
        """
from modelport.predictions import Sink
class Bad(Sink):
    name = 'bad'
    def write(self, records): pass
    def after_fork(self): raise RuntimeError('cannot')
m = ModelMonitor('e', sinks=[Bad(), FileSink(directory)], spool=directory + '/spool')
m.log([1], 1)
m.flush()
pid = os.fork()
if not pid:
    m.log([2], 2)
    os._exit(0 if m.close(60) else 1)
assert os.waitpid(pid, 0)[1] == 0
m.close()
""",
        tmp_path,
    )

    assert outputs(tmp_path) == [1, 2]


@pytest.mark.parametrize("module", ["modelport.predictions", "modelport.monitor", "modelport.drift"])
def test_an_import_loads_no_optional_package(module: str) -> None:
    assert run(f"import {module}\nprint(sorted({HEAVY} & set(sys.modules)))", "-") == "[]\n"


def test_logging_to_files_needs_no_optional_package(tmp_path: Path) -> None:
    log = "with ModelMonitor('e', sinks=[FileSink(directory)]) as m: m.log([1], 1)"

    assert run(f"{log}\nprint(sorted({HEAVY} & set(sys.modules)))", tmp_path) == "[]\n"


TRAFFIC = """
from modelport.predictions import Spool
mode, count = sys.argv[2], int(sys.argv[3])
spool = Spool(directory + '/spool', mode=mode) if mode != 'none' else None
m = ModelMonitor('e', sinks=[FileSink(directory)], interval=0.02, spool=spool)
acknowledged = os.open(directory + '/acknowledged', os.O_WRONLY | os.O_APPEND | os.O_CREAT)
n = 0
while n < count:
    os.write(acknowledged, (m.log([float(n)], n) + '\\n').encode())
    n += 1
    if n % 20 == 0: time.sleep(0.001)
"""


def start_traffic(directory: Path, mode: str, count: int = 10**9) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROLOGUE + TRAFFIC, str(directory), mode, str(count)])


def acknowledged(directory: Path) -> list[str]:
    path = directory / "acknowledged"
    return path.read_text().split() if path.exists() else []


def kill(process: subprocess.Popen[bytes], directory: Path, eventually: Eventually, already: int) -> None:
    """SIGKILL amid traffic, at a moment that differs from run to run."""
    eventually(lambda: len(acknowledged(directory)) >= already + 300 or process.poll() is not None)
    process.kill()
    assert process.wait(30) == -signal.SIGKILL


@posix
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["record", "batch", "batch+fdatasync", "none"])
def test_killed_again_and_again_it_loses_what_the_mode_says(mode: str, tmp_path: Path, eventually: Eventually) -> None:
    for _ in range(6):
        already = len(acknowledged(tmp_path))
        process = start_traffic(tmp_path, mode)
        try:
            kill(process, tmp_path, eventually, already)
        finally:
            process.kill()
            process.wait(30)
    start_traffic(tmp_path, mode, 1).wait(60)

    told = acknowledged(tmp_path)
    found = Counter(record.prediction_id for record in read_predictions(tmp_path))
    lost = set(told) - found.keys()
    assert len(set(told)) == len(told) >= 1800
    if mode == "record":
        assert lost == set()
        assert list((tmp_path / "spool").rglob("*.seg")) == []
    else:
        # A death costs the end of what that process was told, and nothing before it.
        for process_ids in by_process(told):
            kept = [prediction_id for prediction_id in process_ids if prediction_id not in lost]
            assert kept == process_ids[: len(kept)]
    if mode == "none":
        assert max(found.values()) == 1


def by_process(ids: list[str]) -> list[list[str]]:
    """Ids in the order they were told, one list for each random prefix."""
    found: dict[str, list[str]] = {}
    for prediction_id in ids:
        found.setdefault(prediction_id.rpartition("-")[0], []).append(prediction_id)
    assert len(found) == 7
    return list(found.values())


@posix
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["record", "batch", "none"])
def test_terminated_again_and_again_it_loses_and_repeats_nothing(
    mode: str, tmp_path: Path, eventually: Eventually
) -> None:
    program = PROLOGUE + TRAFFIC.replace("n = 0", "m.install_signal_handlers()\nn = 0")
    for _ in range(5):
        already = len(acknowledged(tmp_path))
        process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), mode, str(10**9)])
        try:
            eventually(lambda already=already: len(acknowledged(tmp_path)) >= already + 300)
            process.terminate()
            assert process.wait(60) == -signal.SIGTERM
        finally:
            process.kill()
            process.wait(30)

    told = acknowledged(tmp_path)
    found = Counter(record.prediction_id for record in read_predictions(tmp_path))
    # The signal may come between the record and its acknowledgement: found, then, and not told.
    assert set(told) - found.keys() == set()
    assert len(found.keys() - set(told)) <= 5
    assert max(found.values()) == 1


@posix
@pytest.mark.parametrize("mode", ["none", "batch", "record"])
def test_four_processes_and_their_forks_count_and_ship_exactly(mode: str, tmp_path: Path) -> None:
    program = """
from modelport.drift import Baseline
from modelport.predictions import Spool
spool = Spool(directory + '/spool', mode=sys.argv[2]) if sys.argv[2] != 'none' else None
baseline = Baseline.from_data({'a': [float(n) for n in range(100)]})
m = ModelMonitor('e', baseline=baseline, sinks=[FileSink(directory)], interval=0.001, spool=spool)
log = m.log  # kept from before the fork, as an application may
for n in range(100): log([float(n)], n)
children = []
for child in range(4):
    pid = os.fork()
    if not pid:
        for n in range(2000): log([float(n % 100)], 1000 * (child + 1))
        ok = m.close(60) and m.counts.records == 2000 and m.counts.features['a'].total == 2000
        os._exit(0 if ok and sum(m.dropped.values()) == 0 else 9)
    children.append(pid)
assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0, 0]
assert m.close(60) and m.counts.records == 100
"""
    run(program, tmp_path, mode)

    records = list(read_predictions(tmp_path))
    assert len({record.prediction_id for record in records}) == len(records) == 8100
    assert Counter(outputs(tmp_path))[3000] == 2000
    assert list(tmp_path.rglob("*.seg")) == []
