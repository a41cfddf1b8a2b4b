"""Datarisk MLOps Codex: `Codex`, and `AsyncCodex` with the same methods, awaited.

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._lazy import lazy_names

if TYPE_CHECKING:
    from modelport._archives import ArchiveLimits
    from modelport._waiting import Backoff, Polling, Progress, Status
    from modelport.codex._async.client import AsyncCodex
    from modelport.codex._async.datasets import AsyncDataset
    from modelport.codex._async.datasources import AsyncDataSource
    from modelport.codex._async.external_monitoring import AsyncExternalMonitoring
    from modelport.codex._async.model import AsyncModel
    from modelport.codex._async.monitoring import AsyncMonitoring
    from modelport.codex._async.multi_preprocessing import AsyncMultiPreprocessing, AsyncMultiPreprocessingRun
    from modelport.codex._async.pipeline import AsyncPipelineResult
    from modelport.codex._async.prediction import AsyncPredictionExecution
    from modelport.codex._async.preprocessing import AsyncPreprocessing, AsyncPreprocessingRun
    from modelport.codex._async.training_execution import AsyncTrainingExecution
    from modelport.codex._async.training_logger import AsyncTrainingLogger
    from modelport.codex._async.trainings import AsyncTraining
    from modelport.codex._records import GroupToken
    from modelport.codex._sync.client import Codex
    from modelport.codex._sync.datasets import Dataset
    from modelport.codex._sync.datasources import DataSource
    from modelport.codex._sync.external_monitoring import ExternalMonitoring
    from modelport.codex._sync.model import Model
    from modelport.codex._sync.monitoring import Monitoring
    from modelport.codex._sync.multi_preprocessing import MultiPreprocessing, MultiPreprocessingRun
    from modelport.codex._sync.pipeline import PipelineResult
    from modelport.codex._sync.prediction import PredictionExecution
    from modelport.codex._sync.preprocessing import Preprocessing, PreprocessingRun
    from modelport.codex._sync.training_execution import TrainingExecution
    from modelport.codex._sync.training_logger import TrainingLogger
    from modelport.codex._sync.trainings import Training
    from modelport.codex.pipeline import Pipeline

__all__ = [
    "ArchiveLimits",
    "AsyncCodex",
    "AsyncDataSource",
    "AsyncDataset",
    "AsyncExternalMonitoring",
    "AsyncModel",
    "AsyncMonitoring",
    "AsyncMultiPreprocessing",
    "AsyncMultiPreprocessingRun",
    "AsyncPipelineResult",
    "AsyncPredictionExecution",
    "AsyncPreprocessing",
    "AsyncPreprocessingRun",
    "AsyncTraining",
    "AsyncTrainingExecution",
    "AsyncTrainingLogger",
    "Backoff",
    "Codex",
    "DataSource",
    "Dataset",
    "ExternalMonitoring",
    "GroupToken",
    "Model",
    "Monitoring",
    "MultiPreprocessing",
    "MultiPreprocessingRun",
    "Pipeline",
    "PipelineResult",
    "Polling",
    "PredictionExecution",
    "Preprocessing",
    "PreprocessingRun",
    "Progress",
    "Status",
    "Training",
    "TrainingExecution",
    "TrainingLogger",
]

_HOMES = {
    "ArchiveLimits": "modelport._archives",
    "AsyncCodex": "modelport.codex._async.client",
    "AsyncDataSource": "modelport.codex._async.datasources",
    "AsyncDataset": "modelport.codex._async.datasets",
    "AsyncExternalMonitoring": "modelport.codex._async.external_monitoring",
    "AsyncModel": "modelport.codex._async.model",
    "AsyncMonitoring": "modelport.codex._async.monitoring",
    "AsyncMultiPreprocessing": "modelport.codex._async.multi_preprocessing",
    "AsyncMultiPreprocessingRun": "modelport.codex._async.multi_preprocessing",
    "AsyncPipelineResult": "modelport.codex._async.pipeline",
    "AsyncPredictionExecution": "modelport.codex._async.prediction",
    "AsyncPreprocessing": "modelport.codex._async.preprocessing",
    "AsyncPreprocessingRun": "modelport.codex._async.preprocessing",
    "AsyncTraining": "modelport.codex._async.trainings",
    "AsyncTrainingExecution": "modelport.codex._async.training_execution",
    "AsyncTrainingLogger": "modelport.codex._async.training_logger",
    "Backoff": "modelport._waiting",
    "Codex": "modelport.codex._sync.client",
    "DataSource": "modelport.codex._sync.datasources",
    "Dataset": "modelport.codex._sync.datasets",
    "ExternalMonitoring": "modelport.codex._sync.external_monitoring",
    "GroupToken": "modelport.codex._records",
    "Model": "modelport.codex._sync.model",
    "Monitoring": "modelport.codex._sync.monitoring",
    "MultiPreprocessing": "modelport.codex._sync.multi_preprocessing",
    "MultiPreprocessingRun": "modelport.codex._sync.multi_preprocessing",
    "Pipeline": "modelport.codex.pipeline",
    "PipelineResult": "modelport.codex._sync.pipeline",
    "Polling": "modelport._waiting",
    "PredictionExecution": "modelport.codex._sync.prediction",
    "Preprocessing": "modelport.codex._sync.preprocessing",
    "PreprocessingRun": "modelport.codex._sync.preprocessing",
    "Progress": "modelport._waiting",
    "Status": "modelport._waiting",
    "Training": "modelport.codex._sync.trainings",
    "TrainingExecution": "modelport.codex._sync.training_execution",
    "TrainingLogger": "modelport.codex._sync.training_logger",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
