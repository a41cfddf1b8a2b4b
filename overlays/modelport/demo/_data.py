"""The breast-cancer measurements of scikit-learn, split into what trains the model and what meets it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from modelport._extras import require

if TYPE_CHECKING:
    from pathlib import Path

TARGET = "malignant"
SEED = 20
TRAINING_SHARE = 0.6
# A scanner that magnifies by a fifth more: lengths grow by it, areas by its square, shapes stay.
MAGNIFICATION = 1.2
_LENGTHS = ("radius", "perimeter")


@attrs.frozen(kw_only=True)
class DemoData:
    """The data of the demo: `features` and their shifted copy have the same rows, `labels` are their truth."""

    training: Any
    features: Any
    shifted: Any
    labels: list[int]
    record: dict[str, float]

    @property
    def names(self) -> list[str]:
        """The names of the features."""
        return [str(name) for name in self.features.columns]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The files for training and for the asynchronous model."""
        folder.mkdir(parents=True, exist_ok=True)
        training, served = folder / "training.csv", folder / "served.csv"
        self.training.to_csv(training, index=False)
        self.features.to_csv(served, index=False)
        return training, served


def load_data() -> DemoData:
    """The data, the same at every call.

    Raises MissingExtraError when scikit-learn is not installed.
    """
    datasets: Any = require("sklearn.datasets", "demo")
    model_selection: Any = require("sklearn.model_selection", "demo")
    bunch = datasets.load_breast_cancer(as_frame=True)
    frame = bunch.data.rename(columns=str).rename(columns=_guide_name)
    # scikit-learn counts benign as 1; a probability of the disease reads better.
    target = (1 - bunch.target).rename(TARGET)
    # The record of the platform's own guide is the first row; it stays out of the training.
    rest = frame.index[1:]
    training, later = model_selection.train_test_split(
        rest, train_size=TRAINING_SHARE, stratify=target[rest], random_state=SEED
    )
    served = frame.loc[[0, *later]]
    return DemoData(
        training=frame.loc[training].assign(**{TARGET: target[training]}),
        features=served,
        shifted=_magnified(served),
        labels=[int(label) for label in target[served.index]],
        record={str(name): float(value) for name, value in frame.iloc[0].items()},
    )


def _guide_name(name: str) -> str:
    return name.replace(" ", "_")


def _magnified(frame: Any) -> Any:
    factors = {
        name: MAGNIFICATION if any(word in name for word in _LENGTHS) else MAGNIFICATION**2
        for name in frame.columns
        if any(word in name for word in (*_LENGTHS, "area"))
    }
    return frame.assign(**{name: frame[name] * factor for name, factor in factors.items()})
