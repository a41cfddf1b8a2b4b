"""Prediction logging: one record, bounded non-blocking shipping to sinks, and a reader.

`modelport.ModelMonitor` puts it together with drift monitoring::

    with ModelMonitor("churn", model_version="3", sinks=[FileSink("log")]) as monitor:
        monitor.log({"age": 41}, 0.93)

    for prediction in read_predictions("log", "churn"):
        ...
"""

from modelport.predictions._file_sink import FileSink
from modelport.predictions._fluent_sink import FluentSink
from modelport.predictions._reader import read_predictions
from modelport.predictions._record import GroundTruth, Prediction, Record
from modelport.predictions._sink import Sink

__all__ = ["FileSink", "FluentSink", "GroundTruth", "Prediction", "Record", "Sink", "read_predictions"]
