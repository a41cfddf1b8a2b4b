"""Reading logged predictions and ground truth back, from disk or from an object store."""

from modelport.predictions.reading._expired import ExpiredDataError
from modelport.predictions.reading._functions import read_ground_truth, read_predictions
from modelport.predictions.reading._reader import GroundTruthReader, PredictionReader

__all__ = ["ExpiredDataError", "GroundTruthReader", "PredictionReader", "read_ground_truth", "read_predictions"]
