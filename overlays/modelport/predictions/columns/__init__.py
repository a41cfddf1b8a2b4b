"""Records as typed columns and back: the one table form that Parquet files and ``to_arrow`` share."""

from modelport.predictions.columns._build import to_batch, to_table
from modelport.predictions.columns._layout import Layout
from modelport.predictions.columns._parquet import load_pyarrow, read_parquet, to_parquet
from modelport.predictions.columns._rebuild import from_batch

__all__ = ["Layout", "from_batch", "load_pyarrow", "read_parquet", "to_batch", "to_parquet", "to_table"]
