"""The demo itself: every step through the public names that a user would write."""

from __future__ import annotations

import csv
import time
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import attrs

from modelport import ModelMonitor, predict_code
from modelport._archives import unpack
from modelport._extras import require
from modelport.codex import Backoff, Codex, Polling
from modelport.demo._data import DemoData, load_data
from modelport.demo._programs import Programs
from modelport.demo._story import Scored, Story, Watched
from modelport.drift import Baseline
from modelport.predictions import FileSink

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from modelport.codex import Progress
    from modelport.codex._sync.model import Model
    from modelport.codex._sync.monitoring import Monitoring
    from modelport.codex._sync.training_execution import TrainingExecution
    from modelport.demo._terminal import Note, Teller
    from modelport.drift import DriftReport

GROUP = "breast_cancer"
ENDPOINT = "breast-cancer"
VERSION = "1"
# A local server answers at once; the default pauses are made for one far away.
POLLING = Polling(backoff=Backoff(initial_seconds=0.1, factor=1.4, max_seconds=1.0), timeout_seconds=180)
_PERIOD = "Week"


@attrs.define(kw_only=True)
class Play:
    """One run of the demo against a server at `url`, into `output`."""

    codex: Codex
    output: Path
    teller: Teller
    story: Story

    def run(self) -> None:
        """All steps in order."""
        with as_file(files("modelport.demo") / "files") as shipped:
            self._run(shipped)

    def _run(self, shipped: Path) -> None:
        step = self.teller.step
        with step("Prepare the data") as note:
            data, training_file, served_file = self._prepare(note)
        with step("Log in and create a group") as note:
            group = self._group(note)
        with step("Train on the platform") as note:
            execution = self._train(shipped, training_file, note)
        with step("Take the baseline from the training") as note:
            baseline = self._baseline(execution, data, note)
        with step("Promote and deploy, sync and async") as note:
            sync, batch = self._deploy(execution, shipped, note)
        with step("Score a file with the async model") as note:
            self._score_file(batch, served_file, data, note)
        with step("Predict and log a usual week") as note:
            self.story.usual_scores, self.story.usual = self._serve(sync, data.features, "usual week", baseline, note)
            self.story.record_input, self.story.record_answer = data.record, sync.predict(data.record)
        with step("Let the platform watch the model") as note:
            monitoring = self._watch(sync, execution, data, shipped, note)
        with step("Predict and log after the scanner changed") as note:
            self.story.shifted_scores, self.story.shifted = self._serve(
                sync, data.shifted, "scanner changed", baseline, note
            )
        with step("Fetch the platform's PSI and SHAP") as note:
            self._records(monitoring, "both weeks", note)
        with step("Write the predict programs and run them") as note:
            self._programs(sync, batch, group, served_file, note)

    def _prepare(self, note: Note) -> tuple[DemoData, Path, Path]:
        data = load_data()
        training, served = data.write(self.output / "data")
        self.story.training_rows = len(data.training)
        note(f"{len(data.training)} records to train on, {len(data.features)} for later, {len(data.names)} features")
        return data, training, served

    def _group(self, note: Note) -> str:
        version = self.codex.health().version
        token = self.codex.groups.create(GROUP, description="modelport demo")
        note(f"group {GROUP} on a server of version {version}")
        return token.token

    def _train(self, shipped: Path, training_file: Path, note: Note) -> TrainingExecution:
        training = self.codex.trainings.create("Breast cancer", group=GROUP, model_type="classification")
        execution = training.run_custom(
            "logistic regression",
            data=training_file,
            source=shipped / "train.py",
            requirements=shipped / "requirements.txt",
        )
        execution.wait(on_progress=_progress(note))
        run_data: Any = execution.describe().run_data
        self.story.metrics = {str(metric.key): float(metric.value) for metric in run_data.metrics}
        note(f"ROC AUC {self.story.metrics['roc_auc']:.3f} on the quarter that the training held back")
        return execution

    def _baseline(self, execution: TrainingExecution, data: DemoData, note: Note) -> Baseline:
        pandas: Any = require("pandas", "demo")
        folder = self.output / "training"
        archive = execution.download_result(folder / "result.zip")
        unpack(archive, folder)
        features = pandas.read_parquet(next(folder.rglob("features.parquet")))
        scores = pandas.read_parquet(next(folder.rglob("predictions.parquet")))["proba"]
        baseline = Baseline.from_data(features[data.names], output=scores, model_version=VERSION)
        baseline.save(self.output / "baseline.json")
        self.story.training_scores = [float(score) for score in scores]
        note(f"{len(baseline.features)} features and the output, in bins that stay fixed")
        return baseline

    def _deploy(self, execution: TrainingExecution, shipped: Path, note: Note) -> tuple[Model, Model]:
        source, sample = shipped / "app.py", shipped / "schema.json"
        sync = execution.promote("Breast cancer", operation="sync", source=source, function="score", schema=sample)
        batch = execution.promote(
            "Breast cancer batch",
            operation="async",
            source=source,
            function="score_file",
            schema=self.output / "data" / "served.csv",
        )
        # Both build at the same time.
        for model in (sync, batch):
            model.wait(on_progress=_progress(note))
        self.story.model_names = {"sync": sync.name, "async": batch.name}
        note("both are deployed")
        return sync, batch

    def _score_file(self, batch: Model, file: Path, data: DemoData, note: Note) -> None:
        execution = batch.submit(file)
        execution.wait(on_progress=_progress(note))
        paths = execution.download_files(self.output / "async-answer")
        answer = next(path for path in paths if path.suffix == ".csv")
        with answer.open(encoding="utf-8", newline="") as opened:
            scores = [float(row["proba"]) for row in csv.DictReader(opened)]
        self.story.held_out = Scored(scores=scores, labels=data.labels)
        note(f"{len(scores)} records answered in one file")

    def _serve(
        self, model: Model, features: Any, week: str, baseline: Baseline, note: Note
    ) -> tuple[list[float], DriftReport]:
        """Call the sync model for each record and log what it answered."""
        scores: list[float] = []
        milliseconds: list[float] = []
        sink = FileSink(self.output / "predictions", replica_id="demo", logger_id=week.replace(" ", "-"))
        with ModelMonitor(ENDPOINT, baseline=baseline, sinks=[sink]) as monitor:
            for row in features.to_dict("records"):
                began = time.perf_counter()
                answer: Any = model.predict(row)
                milliseconds.append((time.perf_counter() - began) * 1000)
                scores.append(float(answer["proba"]))
                monitor.log(row, scores[-1], segments={"week": week})
                if len(scores) % 20 == 0:
                    note(f"{len(scores)} of {len(features)}")
            monitor.flush()
            report = monitor.drift_report()
            (self.output / "metrics.txt").write_text(monitor.metrics_text(), "utf-8")
            self.story.dropped += sum(monitor.dropped.values())
        assert report is not None  # noqa: S101 - there is a baseline
        self.story.logged += len(scores)
        self.story.milliseconds = [*self.story.milliseconds, *milliseconds]
        drifted = sum(row.role == "feature" for row in report.drifted)
        note(f"{len(scores)} predictions, {drifted} of {len(baseline.features)} features drifted")
        return scores, report

    def _watch(
        self, model: Model, execution: TrainingExecution, data: DemoData, shipped: Path, note: Note
    ) -> Monitoring:
        configuration = {
            "Period": _PERIOD,
            "TrainData": {"MLOpsTrainingExecution": str(execution.id), "TrainDateRef": "2024-01-01"},
            "InputCols": data.names,
            "OutputCols": ["pred", "proba"],
        }
        monitoring = model.register_monitoring(
            configuration, preprocess=shipped / "watch.py", requirements=shipped / "requirements.txt"
        )
        monitoring.wait(on_progress=_progress(note))
        self._records(monitoring, "usual week", note)
        return monitoring

    def _records(self, monitoring: Monitoring, label: str, note: Note) -> None:
        """Keep the newest record of the platform."""
        newest = monitoring.records()[-1]
        watched = Watched(
            label=label,
            rows=newest.rows or 0,
            psi=newest.psi or {},
            shap=newest.shap or {},
        )
        self.story.watched.append(watched)
        note(f"mean PSI {watched.mean_psi:.3f} over {watched.rows} stored predictions")

    def _programs(self, sync: Model, batch: Model, token: str, file: Path, note: Note) -> None:
        languages = predict_code.languages()
        texts = {
            (kind, language): model.predict_code(language)
            for kind, model in (("sync", sync), ("async", batch))
            for language in languages
        }
        programs = Programs(self.output / "programs", token)
        done: list[str] = []

        def tell(program: Any) -> None:
            done.append(program.label)
            note(f"{len(done)} of {len(texts)}: {program.label}, {program.kind}")

        self.story.programs = programs.run_all(texts, file.resolve(), tell)
        ran = [program.ran for program in self.story.programs]
        note(f"{ran.count(True)} of {len(ran)} ran" + (f", {ran.count(None)} could not here" if None in ran else ""))


def _progress(note: Note) -> Callable[[Progress], None]:
    return lambda progress: note(f"{progress.state}, {progress.elapsed_seconds:.0f} s")


def opened_codex(url: str) -> AbstractContextManager[Codex]:
    """A client for the sandbox, with the credentials that it knows."""
    return Codex(url, user="demo", password="demo", tenant="demo", polling=POLLING)  # noqa: S106 - the sandbox's own
