"""What a local training leaves behind, gathered until it is registered. No network here."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from modelport._extras import require
from modelport._plain import plain
from modelport.codex._files import check_path
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import File

if TYPE_CHECKING:
    from modelport.codex._files import FilePath, JsonSource, Requirements, TableSource
    from modelport_api.codex.v1 import models

__all__ = ["GatheredTraining"]

# Their import name, where it is not the name to install.
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML", "cv2": "opencv-python", "PIL": "Pillow"}
_PLATFORM_PYTHONS = ((3, 8), (3, 9), (3, 10))


class GatheredTraining:
    """Everything that was logged of a training; every method gives the logger back."""

    def __init__(self, run_name: str) -> None:
        self.run_name = run_name
        self._features: TableSource | None = None
        self._target: TableSource | None = None
        self._output: TableSource | None = None
        self._model: File | None = None
        self._model_module = ""
        self._metrics: dict[str, float] = {}
        self._parameters: dict[str, Any] = {}
        self._requirements: Requirements | None = None
        self._env: JsonSource | None = None
        self._extra: dict[str, File] = {}
        self._python_version: str | None = None
        self._description: str | None = None

    def log_data(self, features: TableSource, target: TableSource) -> Self:
        """Keep the training data: DataFrames, arrays or .parquet files."""
        self._features, self._target = features, target
        return self

    def log_output(self, output: TableSource) -> Self:
        """Keep the model's predictions for the training data."""
        self._output = output
        return self

    def log_model(self, model: Any, *, name: str = "model.pkl") -> Self:
        """Keep the trained model: a file of it, or the object, which is then pickled.

        Raises:
            InvalidInputError: The file is missing, or the object cannot be pickled.
            MissingExtraError: The extra ``training`` is not installed.
        """
        if isinstance(model, str | Path):
            place = check_path(model, "model")
            self._model = File(place, name=place.name, content_type="application/octet-stream")
            return self
        cloudpickle = require("cloudpickle", "training")
        try:
            pickled: bytes = cloudpickle.dumps(model)
        except Exception as error:
            raise InvalidInputError(f"model cannot be pickled: {error}") from error
        self._model = File(pickled, name=name, content_type="application/octet-stream")
        self._model_module = type(model).__module__.partition(".")[0]
        return self

    def log_metric(self, name: str, value: float) -> Self:
        """Keep one measured number.

        Raises:
            InvalidInputError: It is not a finite number.
        """
        number = plain(value)
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise InvalidInputError(f"the metric {name!r} must be a finite number, not {value!r}")
        self._metrics[name] = number
        return self

    def log_metrics(self, metrics: Mapping[str, float]) -> Self:
        """Keep measured numbers."""
        for name, value in metrics.items():
            self.log_metric(name, value)
        return self

    def log_parameter(self, name: str, value: Any) -> Self:
        """Keep one setting of the training; what JSON cannot say is kept as text."""
        try:
            self._parameters[name] = plain(value)
        except TypeError:
            self._parameters[name] = repr(value)
        return self

    def log_parameters(self, parameters: Mapping[str, Any]) -> Self:
        """Keep settings of the training, such as ``model.get_params()``."""
        for name, value in parameters.items():
            self.log_parameter(name, value)
        return self

    def log_plot(self, plot: Any, name: str | None = None) -> Self:
        """Keep a plot: an image file, its bytes, or a figure of matplotlib (or what else has ``savefig``).

        Raises:
            InvalidInputError: It is none of these, or bytes and figures came without a name.
        """
        if isinstance(plot, str | Path):
            return self._keep(check_path(plot, "plot"), name)
        if not name:
            raise InvalidInputError("a plot that is not a file needs a name, such as 'roc.png'")
        if isinstance(plot, bytes):
            return self._keep(plot, name)
        save: Any = getattr(plot, "savefig", None) or getattr(getattr(plot, "figure", None), "savefig", None)
        if save is None:
            raise InvalidInputError(f"a plot must be a file, bytes or a figure, not {type(plot).__name__}")
        buffer = io.BytesIO()
        save(buffer, format=Path(name).suffix.lstrip(".") or "png")
        return self._keep(buffer.getvalue(), name if Path(name).suffix else f"{name}.png")

    def log_extra(self, path: FilePath, name: str | None = None) -> Self:
        """Keep any further file."""
        return self._keep(check_path(path, "extra"), name)

    def log_requirements(self, requirements: Requirements) -> Self:
        """Keep a requirements.txt, or its lines; without it, the versions of the installed libraries are taken."""
        self._requirements = requirements
        return self

    def log_env(self, env: JsonSource) -> Self:
        """Keep variables for the script: a file whose name ends in .env, or a mapping."""
        self._env = env
        return self

    def log_python_version(self, python_version: str) -> Self:
        """Keep the Python that trained; by default this one, if the platform has it, else the latest it has."""
        self._python_version = python_version
        return self

    def log_description(self, description: str) -> Self:
        """Keep free text."""
        self._description = description
        return self

    def _keep(self, content: bytes | Path, name: str | None) -> Self:
        name = name or (content.name if isinstance(content, Path) else "")
        if not name or Path(name).name != name:
            raise InvalidInputError(f"a file to keep needs a plain name, not {name!r}")
        if name in self._extra:
            raise InvalidInputError(f"there is a file {name!r} already; give this one another name")
        self._extra[name] = File(content, name=name)
        return self

    def _body(self) -> models.UploadTrainingBody:
        """The body that registers the training.

        Raises:
            InvalidInputError: Something that the platform needs was not logged; names all of it.
        """
        from modelport.codex._bodies import external_body

        needed = {"log_data": self._features is None, "log_model": self._model is None}
        if missing := [f"{method}()" for method, absent in needed.items() if absent]:
            raise InvalidInputError(f"nothing to register yet: call {' and '.join(missing)} first")
        return external_body(
            self.run_name,
            features=self._features,
            target=self._target,
            output=self._output,
            model=self._model,
            parameters=self._parameters or None,
            metrics=self._metrics or None,
            requirements=self._requirements or self._installed(),
            python_version=self._python_version or _platform_python(),
            env=self._env,
            extra=list(self._extra.values()),
            description=self._description,
        )

    def _installed(self) -> Sequence[str]:
        """Pinned versions of the libraries that the training can have used."""
        names = {self._model_module, "numpy", "pandas", "sklearn"} - {"", "__main__", "builtins"}
        lines: list[str] = []
        for name in sorted(_DISTRIBUTIONS.get(name, name) for name in names if name in sys.modules):
            try:
                lines.append(f"{name}=={version(name)}")
            except PackageNotFoundError:
                continue  # a module of the user's own
        return lines


def _platform_python() -> str:
    here = sys.version_info[:2]
    major, minor = here if here in _PLATFORM_PYTHONS else _PLATFORM_PYTHONS[-1]
    return f"{major}.{minor}"
