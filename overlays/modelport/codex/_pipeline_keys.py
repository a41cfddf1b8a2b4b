"""Which keys a pipeline file may have, which it must have, and what they hold."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from modelport.codex._inputs import (
    check_choice,
    check_experiment_name,
    check_hash,
    check_model_type,
    check_name,
    check_operation,
    check_python_version,
)
from modelport.errors import InvalidInputError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

__all__ = ["SECTIONS", "TOP", "Keys", "Problems"]

SECTIONS = ("training", "deploy", "monitoring")


@dataclass(frozen=True)
class Keys:
    """The keys of a section: those it needs, those it may have, and which of them name files in its directory."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


TOP = Keys(("group", "python_version"), ("url",))
_TRAINING = {
    "Custom": Keys(
        ("training_type", "experiment_name", "model_type", "directory", "data", "packages", "source", "train_function"),
        ("run_name", "extra", "env", "description"),
        ("data", "packages", "source", "env"),
    ),
    "AutoML": Keys(
        ("training_type", "experiment_name", "model_type", "directory", "data", "config"),
        ("run_name", "extra", "description"),
        ("data", "config"),
    ),
    "External": Keys(
        ("training_type", "experiment_name", "model_type", "directory", "X_train", "y_train", "model_file"),
        (
            "run_name",
            "extra",
            "env",
            "description",
            "python_version",
            "packages",
            "model_outputs",
            "model_metrics",
            "model_params",
        ),
        ("X_train", "y_train", "model_file", "packages", "model_outputs", "model_metrics", "model_params", "env"),
    ),
}
_DEPLOY_OPTIONAL = ("schema", "input_type", "extra", "env", "packages", "model")
_DEPLOY = Keys(
    ("directory", "operation", "source", "score_function"),
    ("name", *_DEPLOY_OPTIONAL),
    ("source", "schema", "env", "packages"),
)
_DEPLOY_AUTOML = Keys(
    ("operation",),
    ("name", "directory", "source", "score_function", *_DEPLOY_OPTIONAL),
    ("source", "schema", "env", "packages"),
)
_DEPLOY_ALONE = Keys(
    ("directory", "operation", "source", "score_function", "model", "packages", "name"),
    ("schema", "input_type", "extra", "env"),
    ("source", "model", "packages", "schema", "env"),
)
_MONITORING = Keys(
    ("directory", "preprocess", "preprocess_function", "shap_function", "config"),
    ("packages", "name", "model_hash"),
    ("preprocess", "config", "packages"),
)
_CHECKS: dict[str, Callable[[str], object]] = {
    "python_version": check_python_version,
    "experiment_name": check_experiment_name,
    "model_type": check_model_type,
    "operation": check_operation,
    "name": check_name,
    "model_hash": lambda text: check_hash(text, "M"),
    "training_type": lambda text: check_choice(text, "training_type", _TRAINING),
}


class Problems:
    """Reads a pipeline and gathers everything that is wrong with it.

    Args:
        folder: What directories in it are relative to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: list[str] = []
        self._training_type = ""

    def add(self, problem: str) -> None:
        """Note something that is wrong."""
        self._found.append(problem)

    def raise_any(self, source: str) -> None:
        """Raise what was found, if anything was.

        Raises:
            PipelineError: Something was.
        """
        if self._found:
            raise PipelineError(source, self._found)

    def section(self, name: str, value: Any, *, with_training: bool) -> dict[str, Any]:
        """The keys of a section, with whole paths for its files."""
        if not isinstance(value, Mapping):
            self.add(f"{name} must be a mapping of keys to values")
            return {}
        entries = cast("Mapping[str, Any]", value)
        keys = self._keys(name, entries, with_training=with_training)
        return {} if keys is None else self._with_paths(name, self.checked(name, entries, keys), keys)

    def _keys(self, name: str, entries: Mapping[str, Any], *, with_training: bool) -> Keys | None:
        if name == "monitoring":
            return _MONITORING
        if name == "deploy":
            if not with_training:
                return _DEPLOY_ALONE
            return _DEPLOY_AUTOML if self._training_type == "AutoML" else _DEPLOY
        kind = entries.get("training_type")
        by_folded = {known.casefold(): known for known in _TRAINING}
        known = by_folded.get(str(kind).casefold())
        if known is None:
            self.add(f"training: training_type must be one of {', '.join(_TRAINING)}, not {kind!r}")
            return None
        self._training_type = known
        return _TRAINING[known]

    def checked(self, section: str | None, entries: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
        """The entries, after noting unknown and missing keys and values that cannot be."""
        where = f"{section}: " if section else ""
        known = (*keys.needed, *keys.optional)
        for key in entries:
            if key not in known:
                self.add(f"{where}unknown key {key!r}{_hint(key, known)}")
        for key in keys.needed:
            if entries.get(key) in (None, ""):
                self.add(f"{where}{key} is missing")
        read: dict[str, Any] = {}
        for key, value in entries.items():
            if key in known and value not in (None, ""):
                read[key] = self._value(where, key, value)
        return read

    def _value(self, where: str, key: str, value: Any) -> Any:
        if key == "extra":
            listed = [value] if isinstance(value, str) else value
            if isinstance(listed, Sequence) and all(isinstance(entry, str) for entry in cast("list[Any]", listed)):
                return list(cast("Sequence[str]", listed))
            self.add(f"{where}extra must be a list of files")
            return []
        if not isinstance(value, str):
            # A mapping that was given and not read from a file may hold 3.10 as a number, which is 3.1.
            self.add(f"{where}{key} must be text, not {value!r}")
            return ""
        check = _CHECKS.get(key)
        if check is not None:
            try:
                check(value)
            except InvalidInputError as error:
                self.add(f"{where}{error}")
        return value

    def _with_paths(self, section: str, read: dict[str, Any], keys: Keys) -> dict[str, Any]:
        directory = self._folder / read.get("directory", ".")
        if not directory.is_dir():
            self.add(f"{section}: there is no folder {str(directory)!r}")
            return read
        for key in keys.files:
            if key in read:
                read[key] = self._path(section, key, directory / read[key])
        if "extra" in read:
            read["extra"] = [self._path(section, "extra", directory / entry) for entry in read["extra"]]
        return read

    def _path(self, section: str, key: str, path: Path) -> Path:
        if not path.is_file():
            self.add(f"{section}: {key}: there is no file {str(path)!r}")
        return path


def _hint(key: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(known)})"
