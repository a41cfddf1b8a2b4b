"""Sinks whose files are written whole: records wait in a local journal until a file of them is due."""

from modelport.predictions.rolling._parquet_sink import ParquetSink
from modelport.predictions.rolling._rolling_sink import JournalFullError
from modelport.predictions.rolling._s3_sink import S3Sink

__all__ = ["JournalFullError", "ParquetSink", "S3Sink"]
