"""Prediction logging: one record, bounded non-blocking shipping to sinks, and a reader.

`modelport.ModelMonitor` puts it together with drift monitoring::

    with ModelMonitor("churn", model_version="3", sinks=[FileSink("log")]) as monitor:
        monitor.log({"age": 41}, 0.93)

    for prediction in read_predictions("log", "churn"):
        ...
"""

from modelport.predictions._callable_sink import CallableSink
from modelport.predictions._environment import sinks_from_env
from modelport.predictions._file_sink import FileSink
from modelport.predictions._fluent_sink import FluentSink
from modelport.predictions._frame import Frame, FrameError
from modelport.predictions._frame_file import read_frames
from modelport.predictions._record import GroundTruth, Prediction, Record
from modelport.predictions._sink import Sink
from modelport.predictions._sink_config import SinkConfigError
from modelport.predictions._spool import Spool
from modelport.predictions._stdout_sink import StdoutSink, StreamGoneError
from modelport.predictions.reading import (
    ExpiredDataError,
    GroundTruthReader,
    PredictionReader,
    read_ground_truth,
    read_predictions,
)
from modelport.predictions.rolling import JournalFullError, ParquetSink, S3Sink

__all__ = [
    "CallableSink",
    "ExpiredDataError",
    "FileSink",
    "FluentSink",
    "Frame",
    "FrameError",
    "GroundTruth",
    "GroundTruthReader",
    "JournalFullError",
    "ParquetSink",
    "Prediction",
    "PredictionReader",
    "Record",
    "S3Sink",
    "Sink",
    "SinkConfigError",
    "Spool",
    "StdoutSink",
    "StreamGoneError",
    "read_frames",
    "read_ground_truth",
    "read_predictions",
    "sinks_from_env",
]
