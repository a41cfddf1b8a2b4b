"""A program against the vendor's own client, any version from 2.2.0 to 4.0.2; prints what it saw as one JSON line.

Run by test_codex_vendor_clients.py with the interpreter of an environment that holds that version. Only what a sandbox
run cannot do without is patched: the fixed waits of 30 s, the look at the package registry, and the base URL that 4.0.2
fixes.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, BLE001, T201
# pyright: basic
# mypy: ignore-errors
import contextlib
import importlib
import io
import json
import os
import pkgutil
import sys
import time
import zipfile
from pathlib import Path

CONFIG = json.loads(sys.argv[1])
URL, VERSION, FILES = CONFIG["url"], tuple(int(part) for part in CONFIG["version"].split(".")), Path(CONFIG["files"])
NEW = VERSION >= (2, 2, 9)
os.environ.update(MLOPS_URL=URL, MLOPS_USER="demo", MLOPS_PASSWORD="demo", MLOPS_TENANT="demo")


def path(name):
    return str(FILES / name)


def patch():
    package = importlib.import_module("mlops_codex")
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module("mlops_codex." + info.name)
        if hasattr(module, "sleep"):
            setattr(module, "sleep", lambda _seconds: time.sleep(0.2))  # noqa: B010 - a module has no such field
    base = importlib.import_module("mlops_codex.base")
    if hasattr(base, "check_lib_version"):
        setattr(base, "check_lib_version", lambda: None)  # noqa: B010
    if VERSION >= (4,):
        parse = base.parse_url
        setattr(base, "parse_url", lambda _url: parse(URL))  # noqa: B010


def client(module, name):
    kind = getattr(importlib.import_module("mlops_codex." + module), name)
    if VERSION >= (3,):
        return kind(login="demo", password="demo", tenant="demo")
    return kind(login="demo", password="demo")


def quietly(call, *arguments, **named):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = call(*arguments, **named)
    return result, printed.getvalue()


def parse_answer(printed):
    try:  # 4.x prints JSON, earlier ones YAML
        return json.loads(printed.strip().splitlines()[-1])
    except ValueError:
        import yaml

        return yaml.safe_load(printed)


def names_of(zip_path):
    with zipfile.ZipFile(zip_path) as archive:
        return sorted(archive.namelist())


def train(seen):
    trainings = client("training", "MLOpsTrainingClient")
    experiment = trainings.create_training_experiment(
        experiment_name="Risco de crédito", model_type="Classification", group="risk"
    )
    seen["training_hash"] = experiment.training_id
    run = experiment.run_training(
        run_name="first",
        training_type="Custom",
        train_data=path("train.csv"),
        source_file=path("train.py"),
        requirements_file=path("requirements.txt"),
        training_reference="train",
        python_version="3.9",
        extra_files=[path("extra.txt")],
        env=path(".env"),
        wait_complete=True,
    )
    seen["training_status"] = str(run.get_status()["Status"])
    seen["metrics"] = {metric["key"]: metric["value"] for metric in run.execution_data["RunData"]["metrics"]}
    run.download_result(path="./", filename="training.zip")
    seen["training_files"] = names_of("training.zip")
    promoted, _ = quietly(
        run.promote_model,
        model_name="promoted",
        model_reference="score",
        source_file=path("app.py"),
        schema=path("schema.json"),
        operation="Sync",
        **({"input_type": "json"} if VERSION >= (4,) or NEW else {}),
        **({"wait_complete": True} if NEW else {}),
    )
    if not NEW:
        promoted.wait_ready()
    seen["promoted_hash"] = getattr(promoted, "model_hash", None) or promoted.model_id
    return run, promoted


def external(seen):
    import pandas as pd

    frame = pd.read_csv(path("train.csv"))
    for name, part in (("x", frame[["a", "b"]]), ("y", frame[["target"]]), ("p", frame[["target"]])):
        part.to_parquet(f"{name}.parquet")
    Path("metrics.json").write_text('{"auc": 0.75}')
    Path("params.json").write_text('{"depth": 3}')
    trainings = client("training", "MLOpsTrainingClient")
    experiment = trainings.create_training_experiment(
        experiment_name="externo", model_type="Classification", group="risk"
    )
    run = experiment.run_training(
        run_name="outside",
        training_type="External",
        python_version="3.9",
        X_train="x.parquet",
        y_train="y.parquet",
        model_outputs="p.parquet",
        model_file=path("model.pkl"),
        model_metrics="metrics.json",
        model_params="params.json",
        requirements_file=path("requirements.txt"),
        wait_complete=True,
    )
    seen["external_status"] = str(run.get_status()["Status"])
    seen["external_metrics"] = {metric["key"]: metric["value"] for metric in run.execution_data["RunData"]["metrics"]}


def create(models, operation, source, schema, input_type, token):
    extra = {"input_type": input_type} if NEW or operation == "Async" else {}
    model, _ = quietly(
        models.create_model,
        model_name=f"model {operation}",
        model_reference="score",
        source_file=path(source),
        model_file=path("model.pkl"),
        requirements_file=path("requirements.txt"),
        schema=path(schema),
        group="risk",
        python_version="3.9",
        operation=operation,
        env=path(".env"),
        extra_files=[path("extra.txt")],
        wait_for_ready=True,
        **extra,
    )
    if isinstance(model, str):
        model = models.get_model(model_id=model, group="risk")
    model.set_token(token)
    return model


def sync(seen, models, token):
    model = create(models, "Sync", "app.py", "schema.json", "json", token)
    sample = {"a": 1.5, "b": -2}
    if NEW:
        _, printed = quietly(model.predict, json_data=sample)
        seen["sync"] = parse_answer(printed)
    else:
        seen["sync"] = model.predict(data=sample)
        seen["docs"] = model.docs
    seen["health"] = str(model.health())
    _, seen["logs"] = quietly(model.get_logs, routine="Host")
    model.disable()
    seen["disabled"] = str(model.status() if NEW else model.status)
    quietly(model.restart_model, wait_for_ready=True)
    if NEW:
        for _ in range(100):  # the client stops waiting at "Recovering"
            if str(model.status()) != "Recovering":
                break
            time.sleep(0.2)
    seen["restarted"] = str(model.status() if NEW else model.status)
    found = (
        models.get_model(model_hash=model.model_hash, group="risk")
        if NEW
        else models.get_model(model_id=model.model_id, group="risk")
    )
    seen["found"] = found.name
    return model


def batch(seen, models, token):
    model = create(models, "Async", "batch.py", "sample.csv", "csv", token)
    if NEW:
        run, _ = quietly(model.predict, data=path("input.csv"), wait_complete=True)
        seen["async_status"] = str(run.get_status()) if run is not None else None
        if run is None:
            raise SystemExit("the client returned no execution")
        run.download(name="predictions.zip", path="./")
    else:
        run = model.predict(data=path("input.csv"))
        run.wait_ready()
        seen["async_status"] = str(run.status)
        run.download_result(path="./", filename="predictions.zip")
    seen["async_files"] = names_of("predictions.zip")
    with zipfile.ZipFile("predictions.zip") as archive:
        seen["async_lines"] = len(archive.read("output.csv").decode().splitlines())
    seen["execution"] = run.exec_id


def monitor(seen, run, promoted, token):
    promoted.set_token(token)
    for index in range(12):
        value = {"a": index / 4, "b": 1}
        quietly(promoted.predict, **({"json_data": value} if NEW else {"data": value}))
    configuration = {
        "Period": "Week",
        "TrainData": {"MLOpsTrainingExecution": str(run.exec_id), "TrainDateRef": "2022-09-01"},
        "InputCols": ["a", "b"],
        "OutputCols": ["pred"],
    }
    Path("configuration.json").write_text(json.dumps(configuration))
    quietly(
        promoted.register_monitoring,
        preprocess_reference="parse",
        shap_reference="get_shap",
        configuration_file="configuration.json",
        preprocess_file=path("watch.py"),
        requirements_file=path("requirements.txt"),
        **({"wait_complete": True} if NEW else {}),
    )
    if NEW:
        seen["monitoring"] = str(promoted.host_monitoring_status("Week"))


def prepare(seen):
    scripts = client("preprocessing", "MLOpsPreprocessingAsyncV2Client")
    digest, _ = quietly(
        scripts.create,
        name="prepare",
        group="risk",
        script_path=path("prepare.py"),
        entrypoint_function_name="build_df",
        requirements_path=path("requirements.txt"),
        python_version="3.9",
        schema_files_path=[("left", path("sample.csv")), ("right", path("sample.csv"))],
        wait_read=True,
    )
    digest = digest if isinstance(digest, str) else digest.preprocessing_hash
    execution = scripts.register_execution(digest)
    for name in ("left", "right"):
        scripts.upload_input(preprocessing_script_hash=digest, execution_id=execution, data=(name, path("input.csv")))
    scripts.run(preprocessing_script_hash=digest, execution_id=execution)
    for _ in range(100):
        answer = scripts.execution_status(digest, execution)
        status = answer[0] if isinstance(answer, tuple) else answer
        if str(status) not in {"Requested", "Running"}:
            break
        time.sleep(0.2)
    seen["prepared"] = str(status)
    scripts.download(preprocessing_script_hash=digest, execution_id=execution, path="./")
    import pandas as pd

    seen["prepared_rows"] = len(pd.read_parquet("preprocessed_data.parquet"))


def main():
    patch()
    seen = {}
    models = client("model", "MLOpsModelClient")
    seen["version"] = models.version
    token = models.create_group(name="risk", description="made by the vendor's client")
    if not isinstance(token, str):  # 2.2.0 logs the token and returns True
        token = models.refresh_group_token(name="risk", force=True)
    seen["token_length"] = len(token)
    seen["groups"] = [group["Name"] for group in models.list_groups()]
    try:
        models.create_group(name="risk", description="again")
    except Exception as error:
        seen["group_again"] = type(error).__name__
    sync(seen, models, token)
    batch(seen, models, token)
    run, promoted = train(seen)
    external(seen)
    monitor(seen, run, promoted, token)
    if NEW:
        prepare(seen)
    try:
        promoted.set_token("0" * 32)
        answer, _ = quietly(
            promoted.predict, **({"json_data": {"a": 1, "b": 1}} if NEW else {"data": {"a": 1, "b": 1}})
        )
        seen["wrong_token"] = answer["Error"]["Type"]  # 2.2.0 returns whatever came
    except Exception as error:
        seen["wrong_token"] = type(error).__name__
    print("SEEN " + json.dumps(seen))


main()
