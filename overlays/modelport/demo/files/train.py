"""What the platform runs to train the model: `train` gets the data as a frame and returns what is to be kept."""

# A script as users of the platform write them: no package, its variables' names, libraries without types.
# pyright: basic
# ruff: noqa: INP001

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TARGET = "malignant"
SEED = 7


def train(df: Any, base_path: str) -> dict[str, Any]:  # noqa: ARG001 - the platform's contract
    """Fit on three quarters, measure on the rest, and return the model with the data that it has seen."""
    features, target = df.drop(columns=[TARGET]), df[TARGET]
    parts: Any = train_test_split(features, target, test_size=0.25, stratify=target, random_state=SEED)
    fit_features, test_features, fit_target, test_target = parts
    pipeline: Any = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=500, random_state=SEED))
    pipeline.fit(fit_features, fit_target)

    found = pipeline.predict(test_features)
    scores = pipeline.predict_proba(features)[:, 1]
    return {
        "X_train": features,
        "y_train": target,
        "model_output": df.assign(proba=scores)[["proba"]],
        "pipeline": pipeline,
        "metrics": {
            "roc_auc": roc_auc_score(test_target, pipeline.predict_proba(test_features)[:, 1]),
            "accuracy": accuracy_score(test_target, found),
            "precision": precision_score(test_target, found),
            "recall": recall_score(test_target, found),
            "f1": f1_score(test_target, found),
        },
    }
