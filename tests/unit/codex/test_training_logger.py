from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from modelport.errors import InvalidInputError, ServerError
from tests.unit.codex.blocking import Blocking
from tests.unit.codex.test_face import TRAINING, T, training


@pytest.fixture
def logger(codex: Blocking) -> Any:
    return codex.trainings.logger("cancer", group="clinic", model_type="classification", run_name="night")


@pytest.fixture
def upload(server: respx.MockRouter) -> respx.Route:
    server.post("/training/register/clinic").respond(201, json={"TrainingHash": T})
    server.get(f"/training/execute/clinic/{T}/7").respond(200, json={"Message": "ok"})
    return server.post(f"/training/upload/clinic/{T}").respond(201, json={"ExecutionId": 7})


def test_a_local_training_is_registered_whole(logger: Any, upload: respx.Route, files: Path) -> None:
    pandas = pytest.importorskip("pandas")
    numpy = pytest.importorskip("numpy")

    class Figure:
        def savefig(self, target: Any, format: str) -> None:  # noqa: A002
            target.write(f"a {format} picture".encode())

    features = pandas.DataFrame({"x": [1.0, 2.0]})
    logger.log_data(features, pandas.Series([0, 1], name="y")).log_output(numpy.array([0.1, 0.9]))
    logger.log_model({"threshold": 1}).log_metrics({"auc": numpy.float64(0.9), "n": 3})
    logger.log_parameters({"depth": 3, "loss": print}).log_plot(Figure(), "roc.png").log_plot(b"svg", "tree.svg")
    logger.log_extra("utils.py").log_env({"A": "1"}).log_description("first try")
    execution = logger.save()
    body = upload.calls.last.request.read()

    assert execution.id == 7
    for piece in (
        b"External", b"night", b'filename="features.parquet"', b'filename="target.parquet"',
        b'filename="predictions.parquet"', b'filename="model.pkl"', pickle.dumps({"threshold": 1})[2:6],
        b'{"auc": 0.9, "n": 3}', b'"depth": 3', b"built-in function print", b'filename="roc.png"', b"a png picture",
        b'filename="tree.svg"', b'filename="utils.py"', b"A=1", b"first try", b"Python310", b"pandas==",
    ):  # fmt: skip
        assert piece in body, piece


def test_files_are_taken_as_they_are(logger: Any, upload: respx.Route, files: Path) -> None:
    logger.log_data("features.parquet", "target.parquet").log_output("output.parquet").log_model("model.pkl")
    logger.log_requirements("requirements.txt").log_python_version("3.9").save()
    body = upload.calls.last.request.read()

    assert b"scikit-learn==1.7.0" in body
    assert b"Python39" in body
    assert b"not a pickle" in body


def test_what_is_missing_is_named_before_anything_is_sent(logger: Any, server: respx.MockRouter) -> None:
    with pytest.raises(InvalidInputError, match=r"call log_data\(\) and log_model\(\) first"):
        logger.save()
    assert server.calls.call_count == 0


def test_nothing_is_lost_when_the_server_fails(
    logger: Any, upload: respx.Route, server: respx.MockRouter, files: Path
) -> None:
    answers = iter([httpx.Response(500), httpx.Response(201, json={"ExecutionId": 7})])
    upload.mock(side_effect=lambda _: next(answers))
    logger.log_data("features.parquet", "target.parquet").log_model("model.pkl")
    with pytest.raises(ServerError):
        logger.save()

    assert logger.save().id == 7
    registered = [call for call in server.calls if "/training/register/" in str(call.request.url)]
    assert len(registered) == 1, "the second save uses the experiment of the first"


def test_a_training_has_loggers_of_its_own(
    codex: Blocking, upload: respx.Route, server: respx.MockRouter, files: Path
) -> None:
    server.get(TRAINING.path).respond(200, json=TRAINING.answer)
    logger: Any = training(codex).logger("night")

    assert logger.log_data("features.parquet", "target.parquet").log_model("model.pkl").save().training_hash == T


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("log_metric", ("auc", float("nan")), "finite number"),
        ("log_metric", ("auc", "high"), "finite number"),
        ("log_metric", ("auc", True), "finite number"),
        ("log_model", ("no.pkl",), "there is no file"),
        ("log_model", ((value for value in ()),), "cannot be pickled"),
        ("log_plot", (b"png",), "needs a name"),
        ("log_plot", (3, "a.png"), "a file, bytes or a figure"),
        ("log_plot", ("no.png",), "there is no file"),
        ("log_extra", ("utils.py", "../utils.py"), "plain name"),
        ("log_requirements", (["a==1"], "b"), None),
    ],
)
def test_what_cannot_be_kept_is_refused(
    logger: Any, files: Path, method: str, arguments: tuple[Any, ...], message: str | None
) -> None:
    if message is None:
        with pytest.raises(TypeError):
            getattr(logger, method)(*arguments)
        return
    with pytest.raises(InvalidInputError, match=message):
        getattr(logger, method)(*arguments)


def test_two_files_of_one_name_are_refused(logger: Any, files: Path) -> None:
    logger.log_extra("utils.py")
    with pytest.raises(InvalidInputError, match=r"there is a file 'utils.py' already"):
        logger.log_extra("utils.py")
