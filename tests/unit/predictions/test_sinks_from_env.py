from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelport.predictions import (
    FileSink,
    FluentSink,
    ParquetSink,
    S3Sink,
    SinkConfigError,
    StdoutSink,
    sinks_from_env,
)
from modelport.predictions._address import fluent_address


@pytest.fixture(autouse=True)
def _no_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEDROCK_FLUENTD_ADDR", raising=False)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


def asked(monkeypatch: pytest.MonkeyPatch, text: str) -> list[object]:
    monkeypatch.setenv("MODELPORT_PREDICTION_SINKS", text)
    return list(sinks_from_env())


def test_nothing_asked_is_no_sink() -> None:
    assert sinks_from_env() == []


def test_the_guides_collector_alone_is_a_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", "logs.svc:1234")

    (sink,) = sinks_from_env()

    assert isinstance(sink, FluentSink)
    assert (sink.host, sink.port) == ("logs.svc", 1234)


def test_an_empty_list_switches_the_guides_collector_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", "logs.svc:1234")

    assert asked(monkeypatch, "") == []


def test_every_kind_in_one_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MODELPORT_PREDICTION_JOURNAL", str(tmp_path))
    text = (
        "file:/var/log/predictions, parquet:log%2Cs,fluent://host:24225,fluent://[::1]:7,fluent+unix:/run/f.sock,"
        "s3://bucket/prefix,s3+parquet://bucket/p,s3+txt.gz://bucket/z,stdout:,stderr:"
    )

    file, parquet, fluent, six, unix, s3, s3_parquet, s3_gzip, stdout, stderr = asked(monkeypatch, text)

    assert isinstance(file, FileSink)
    assert file.directory == Path("/var/log/predictions")
    assert isinstance(parquet, ParquetSink)
    assert parquet.destination == "log,s"
    assert isinstance(fluent, FluentSink)
    assert (fluent.host, fluent.port) == ("host", 24225)
    assert isinstance(six, FluentSink)
    assert (six.host, six.port, six.name) == ("::1", 7, "fluent-2")
    assert isinstance(unix, FluentSink)
    assert unix.host == "unix:///run/f.sock"
    assert isinstance(s3, S3Sink)
    assert (s3.destination, s3.journal.parent) == ("s3://bucket/prefix", tmp_path)
    assert isinstance(s3_parquet, ParquetSink)
    assert s3_parquet.destination == "s3://bucket/p"
    assert isinstance(s3_gzip, S3Sink)
    assert repr(s3_gzip) == "S3Sink('s3://bucket/z', format='txt.gz')"
    assert isinstance(stdout, StdoutSink)
    assert isinstance(stderr, StdoutSink)
    names = [sink.name for sink in (file, parquet, fluent, six, unix, s3, s3_parquet, s3_gzip, stdout, stderr)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "text",
    ["/var/log", "ftp://x", "file:", "fluent://host:port", "fluent://user:hunter2@host", "fluent://", "fluent://h:0",
     "fluent://h:70000", "s3:bucket", "s3://key:hunter2@bucket", "stdout:x", "s3+csv://bucket", "file://host/x",
     "hunter2", "fluent://u:hunter2\u2100@h", "s3://u:hunter2\u2100@bucket", "s3://[hunter2"],
)  # fmt: skip
def test_what_is_not_understood_is_said_without_secrets(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(SinkConfigError, match="MODELPORT_PREDICTION_SINKS: ") as error:
        asked(monkeypatch, text)

    assert "hunter2" not in str(error.value)
    assert error.value.variable == "MODELPORT_PREDICTION_SINKS"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file:", "a directory is needed"),
        ("file://host/log", "no host can be named after the colon: a directory"),
        ("fluent+unix:", "the path of a socket is needed"),
        ("fluent+unix://run/x", "no host can be named after the colon: the path of a socket"),
        ("s3://b/x", "the bucket of 3 to 255 small letters"),
        ("s3://key:secret@bucket", "without credentials"),
    ],
)
def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    with pytest.raises(SinkConfigError, match=told):
        asked(monkeypatch, text)


@pytest.mark.parametrize("entry", ["file:{}", "parquet:{}", "file:{}/below/it"])
def test_a_file_in_the_place_of_a_directory_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entry: str
) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(SinkConfigError, match=f"MODELPORT_PREDICTION_SINKS: .*{file} is no directory"):
        asked(monkeypatch, entry.format(file))
    monkeypatch.setenv("MODELPORT_PREDICTION_JOURNAL", str(file))
    with pytest.raises(SinkConfigError, match=f"^MODELPORT_PREDICTION_JOURNAL: {file} is no directory"):
        asked(monkeypatch, "s3://bucket/prefix")


def test_a_directory_that_may_not_be_written_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Not by its mode: the tests may run as root, who may write anywhere.
    monkeypatch.setattr(os, "access", lambda place, mode: mode == os.F_OK and Path(place).exists())

    with pytest.raises(SinkConfigError, match=f"nothing may be written in {tmp_path}"):
        asked(monkeypatch, f"file:{tmp_path}/log")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MODELPORT_PREDICTION_SINK", "MODELPORT_PREDICTION_SINKS"),
        ("MODELPORT_PREDICTIONS_SINKS", "MODELPORT_PREDICTION_SINKS"),
        ("modelport_prediction_sinks", "MODELPORT_PREDICTION_SINKS"),
        ("BEDROCK_FLUENT_ADDR", "BEDROCK_FLUENTD_ADDR"),
        ("MODELPORT_PREDICTIONS_JOURNAL", "MODELPORT_PREDICTION_JOURNAL"),
    ],
)
def test_a_misspelt_variable_is_told_without_its_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "hunter2")

    assert sinks_from_env() == []

    (told,) = caplog.messages
    assert told == f"{meant} is not set, but {name} is: is that misspelt?"


def test_a_variable_that_is_spelt_well_is_no_reason_for_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("BEDROCK_FLUENTD_PREFIX", "p")
    monkeypatch.setenv("MODELPORT_PREDICTION_JOURNAL", str(tmp_path))

    assert len(asked(monkeypatch, "s3://bucket/prefix")) == 1
    assert asked(monkeypatch, "") == []
    assert caplog.messages == []


def test_a_journal_that_no_sink_uses_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODELPORT_PREDICTION_JOURNAL", str(tmp_path))

    assert len(asked(monkeypatch, f"file:{tmp_path},stdout:")) == 2
    assert caplog.messages == [
        "MODELPORT_PREDICTION_JOURNAL is of no use: MODELPORT_PREDICTION_SINKS asks for no s3 sink"
    ]


def test_a_wrong_collector_of_the_guides_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", "host:port")

    with pytest.raises(SinkConfigError, match="BEDROCK_FLUENTD_ADDR: not host") as error:
        sinks_from_env()
    assert error.value.variable == "BEDROCK_FLUENTD_ADDR"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("h", ("h", 24224)),
        ("h:1", ("h", 1)),
        ("10.0.0.1:65535", ("10.0.0.1", 65535)),
        ("::1", ("::1", 24224)),
        ("fe80::1%eth0", ("fe80::1%eth0", 24224)),
        ("[::1]", ("::1", 24224)),
        ("[::1]:5", ("::1", 5)),
        ("unix:///a:b", ("unix:///a:b", 24224)),
    ],
)
def test_addresses_of_collectors(text: str, address: tuple[str, int]) -> None:
    assert fluent_address(text) == address


@pytest.mark.parametrize(
    "text", ["", ":1", "h:", "h:0", "h:65536", "h:1x", "[::1", "[::1]5", "a b", "h/x", "h:٣", "unix://"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not host"):
        fluent_address(text)
