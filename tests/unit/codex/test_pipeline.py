from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelport.codex import Pipeline
from modelport.errors import InvalidInputError, PipelineError

WHOLE = """
group: credit
python_version: 3.10
training:
  training_type: Custom
  model_type: Classification
  experiment_name: default risk
  run_name: nightly
  directory: ./train
  source: train.py
  train_function: train
  packages: requirements.txt
  data: data.csv
deploy:
  name: default risk scorer
  operation: Sync
  input_type: json
  directory: ./serve
  source: app.py
  score_function: score
  schema: sample.json
  extra: [utils.py]
monitoring:
  directory: ./watch
  preprocess: watch.py
  preprocess_function: parse
  shap_function: get_shap
  config: configuration.json
  packages: requirements.txt
"""


@pytest.fixture
def pipeline_file(files: Path) -> Path:
    for folder in ("train", "serve", "watch"):
        (files / folder).symlink_to(files)
    path = files / "pipeline.yml"
    path.write_text(WHOLE)
    return path


def problems(document: Any, folder: Path) -> tuple[str, ...]:
    with pytest.raises(PipelineError) as caught:
        Pipeline.from_mapping(document, folder=folder, environ={})
    return caught.value.problems


def test_a_whole_pipeline_is_read(pipeline_file: Path) -> None:
    before = pipeline_file.stat().st_mtime_ns, pipeline_file.read_bytes()
    pipeline = Pipeline.from_file(pipeline_file, environ={})

    assert (pipeline.group, pipeline.python_version, pipeline.url) == ("credit", "3.10", None)
    assert pipeline.training is not None
    assert pipeline.training["data"] == pipeline_file.parent / "train" / "data.csv"
    assert pipeline.deploy is not None
    assert pipeline.deploy["extra"] == [pipeline_file.parent / "serve" / "utils.py"]
    assert (pipeline_file.stat().st_mtime_ns, pipeline_file.read_bytes()) == before


def test_the_environment_names_the_server(pipeline_file: Path) -> None:
    pipeline_file.write_text("url: http://file\n" + WHOLE)

    assert Pipeline.from_file(pipeline_file, environ={}).url == "http://file"
    assert Pipeline.from_file(pipeline_file, environ={"MLOPS_URL": "http://env"}).url == "http://env"
    both = {"MLOPS_URL": "http://env", "MODELPORT_CODEX_URL": "http://ours"}
    assert Pipeline.from_file(pipeline_file, environ=both).url == "http://ours"


def test_everything_that_is_wrong_is_named_at_once(files: Path) -> None:
    found = problems(
        {
            "grup": "credit",
            "training": {"training_type": "Custom", "experimentname": "x", "data": "no.csv", "directory": "."},
            "deploy": {"operation": "batch"},
            "monitoring": "yes",
        },
        files,
    )

    for expected in (
        "unknown key 'grup' (did you mean 'group'?)",
        "group is missing",
        "python_version is missing",
        "training: unknown key 'experimentname' (did you mean 'experiment_name'?)",
        "training: source is missing",
        "deploy: operation must be one of Sync, Async, not 'batch'",
        "deploy: directory is missing",
        "monitoring must be a mapping of keys to values",
    ):
        assert expected in found
    assert any("training: data: there is no file" in entry for entry in found)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "it must be a mapping"),
        ({"group": "g", "python_version": "3.10"}, "there is nothing to do"),
        ({"group": "g", "python_version": 3.1, "deploy": {}}, "python_version must be text, not 3.1"),
        ({"group": "g", "python_version": "3.12", "deploy": {}}, "python_version must be one of 3.8, 3.9, 3.10"),
        ({"group": "g", "python_version": "3.10", "training": {"training_type": "Magic"}}, "must be one of Custom"),
        ({"group": "g", "python_version": "3.10", "training": {"training_type": "custom", "directory": "nowhere"}},
         "there is no folder"),
        ({"group": "g", "python_version": "3.10", "monitoring": {"directory": "."}}, "it needs model_hash"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(files: Path, document: Any, problem: str) -> None:
    assert problem in "; ".join(problems(document, files))


@pytest.mark.parametrize(("text", "message"), [("a: [", "not YAML"), ("- 1\n", "must be a mapping"), ("", "must be a")])
def test_a_file_that_is_no_pipeline_is_said_to_be_none(files: Path, text: str, message: str) -> None:
    (files / "p.yml").write_text(text)

    with pytest.raises(PipelineError, match=message):
        Pipeline.from_file("p.yml")


def test_a_missing_file_is_named(files: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"cannot read the pipeline 'no.yml'"):
        Pipeline.from_file("no.yml")


def test_yaml_makes_no_objects(files: Path) -> None:
    (files / "p.yml").write_text("group: !!python/object/apply:os.system ['touch owned']\n")

    with pytest.raises(PipelineError):
        Pipeline.from_file("p.yml")
    assert not (files / "owned").exists()
