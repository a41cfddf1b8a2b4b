"""Prediction logging: one record, bounded non-blocking shipping to sinks, and a reader.

`modelport.ModelMonitor` puts it together with drift monitoring::

    with ModelMonitor("churn", model_version="3", sinks=[FileSink("log")]) as monitor:
        monitor.log({"age": 41}, 0.93)

    for prediction in read_predictions("log", "churn"):
        ...
"""

from modelport.predictions._file_sink import FileSink
from modelport.predictions._fluent_sink import FluentSink
from modelport.predictions._frame import Frame, FrameError
from modelport.predictions._frame_file import read_frames
from modelport.predictions._reader import read_predictions
from modelport.predictions._record import GroundTruth, Prediction, Record
from modelport.predictions._sink import Sink
from modelport.predictions._spool import Spool

__all__ = [
    "FileSink",
    "FluentSink",
    "Frame",
    "FrameError",
    "GroundTruth",
    "Prediction",
    "Record",
    "Sink",
    "Spool",
    "read_frames",
    "read_predictions",
]
