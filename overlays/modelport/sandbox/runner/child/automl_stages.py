"""The stages of AutoML as scikit-learn steps.

Everything in the pipeline is a class of scikit-learn, so that its pickle opens wherever scikit-learn is installed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .heavy import heavy

if TYPE_CHECKING:
    from .automl_config import Configuration

# Boosting packages are used when they are installed; scikit-learn's histogram boosting stands in for them otherwise.
BOOSTERS = {
    "catboost": ("catboost", "CatBoostClassifier", {"verbose": 0, "random_seed": 0}),
    "xgboost": ("xgboost", "XGBClassifier", {"random_state": 0}),
    "lightgbm": ("lightgbm", "LGBMClassifier", {"random_state": 0, "verbose": -1}),
}


def make_model(name: str, configuration: Configuration) -> Any:
    """An unfitted classifier."""
    ensemble = heavy("sklearn.ensemble")
    linear_model = heavy("sklearn.linear_model")
    tree = heavy("sklearn.tree")

    if name == "logreg":
        return linear_model.LogisticRegression(max_iter=1000)
    if name == "rf":
        return ensemble.RandomForestClassifier(n_estimators=100, random_state=0)
    if name == "dt":
        return tree.DecisionTreeClassifier(max_depth=6, random_state=0)
    module, kind, options = BOOSTERS[name]
    try:
        return getattr(__import__(module), kind)(**options)
    except ImportError:
        note = f"{name} is not installed: scikit-learn's HistGradientBoostingClassifier stood in for it"
        if note not in configuration.notes:
            configuration.notes.append(note)
        return ensemble.HistGradientBoostingClassifier(random_state=0)


def build_pipeline(choice: dict[str, str], features: Any, configuration: Configuration) -> Any:
    """An unfitted pipeline for one choice per stage."""
    compose = heavy("sklearn.compose")
    pipeline = heavy("sklearn.pipeline")

    categorical = [name for name in features.columns if name in configuration.cat_cols]
    numeric = [name for name in features.columns if name not in categorical]
    steps: list[tuple[str, Any, list[str]]] = []
    if numeric:
        steps.append(("numeric", pipeline.Pipeline(_numeric(choice, features[numeric], configuration)), numeric))
    if categorical:
        steps.append(("categorical", pipeline.Pipeline(_categorical(choice, configuration)), categorical))
    columns = compose.ColumnTransformer(steps)
    return pipeline.Pipeline([("columns", columns), ("model", make_model(choice["models"], configuration))])


def _numeric(choice: dict[str, str], features: Any, configuration: Configuration) -> list[tuple[str, Any]]:
    impute = heavy("sklearn.impute")
    preprocessing = heavy("sklearn.preprocessing")

    missing = choice["missing"]
    steps: list[tuple[str, Any]] = []
    if missing == "mean":
        steps.append(("missing", impute.SimpleImputer(strategy="mean")))
    elif missing == "tail":
        # The far end of the distribution, so that a tree can tell missing values apart.
        bound = float((features.mean() + 3 * features.std()).max()) if features.shape[1] else 0.0
        steps.append(
            ("missing", impute.SimpleImputer(strategy="constant", fill_value=0.0 if math.isnan(bound) else bound))
        )
    else:
        if missing in {"random", "none"}:
            _note(configuration, f"missing={missing!r} is done as median imputation here")
        steps.append(("missing", impute.SimpleImputer(strategy="median")))
    scalers = {
        "norm": preprocessing.StandardScaler,
        "robust": preprocessing.RobustScaler,
        "minmax": preprocessing.MinMaxScaler,
        "binarizer": preprocessing.Binarizer,
    }
    if choice["preprocess"] in scalers:
        steps.append(("preprocess", scalers[choice["preprocess"]]()))
    return steps


def _categorical(choice: dict[str, str], configuration: Configuration) -> list[tuple[str, Any]]:
    impute = heavy("sklearn.impute")
    preprocessing = heavy("sklearn.preprocessing")

    encoding = choice["encoding"]
    fill = ("missing", impute.SimpleImputer(strategy="constant", fill_value="missing"))
    if encoding == "catboost":
        return [fill, ("encoding", preprocessing.TargetEncoder(random_state=0))]
    if encoding == "dt":
        return [fill, ("encoding", preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))]
    _note(configuration, f"encoding={encoding!r} is done as one-hot encoding of the frequent categories here")
    return [
        fill,
        (
            "encoding",
            preprocessing.OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=20, sparse_output=False),
        ),
    ]


def resample(choice: dict[str, str], features: Any, target: Any, configuration: Configuration) -> tuple[Any, Any]:
    """Rows for the fit: outliers and rare rows cleaned, classes balanced."""
    np = heavy("numpy")

    rows = np.arange(len(features))
    if choice["cleaner"] == "iqr":
        rows = rows[_within_fences(features, configuration)]
    elif choice["cleaner"] == "rare":
        _note(configuration, "cleaner='rare' is left to the encoder, which groups rare categories")
    labels = target.iloc[rows]
    if labels.nunique() <= 1:
        rows, labels = np.arange(len(features)), target
    if choice["unbalance"] != "none":
        rows = _balanced(rows, labels, over=choice["unbalance"] == "smote")
        if choice["unbalance"] == "smote":
            _note(configuration, "unbalance='smote' is done by repeating rows of the smaller class here")
    return features.iloc[rows], target.iloc[rows]


def _within_fences(features: Any, configuration: Configuration) -> Any:
    numbers = features[[name for name in features.columns if name not in configuration.cat_cols]]
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    spread = 3.0 * (high - low)
    inside = ((numbers >= low - spread) & (numbers <= high + spread)) | numbers.isna()
    return inside.all(axis=1).to_numpy()


def _balanced(rows: Any, labels: Any, *, over: bool) -> Any:
    np = heavy("numpy")

    generator = np.random.default_rng(0)
    classes = [rows[(labels == value).to_numpy()] for value in labels.unique()]
    size = max(map(len, classes)) if over else min(map(len, classes))
    chosen = [generator.choice(group, size, replace=over and len(group) < size) for group in classes]
    return np.sort(np.concatenate(chosen))


def metric_of(name: str, pipeline: Any, features: Any, target: Any) -> float:
    """A metric of a fitted pipeline; larger is better for each."""
    metrics = heavy("sklearn.metrics")

    positive = pipeline.classes_[1]
    truth = (target == positive).to_numpy().astype(int)
    if name in {"auc", "gini", "ks"}:
        scores = pipeline.predict_proba(features)[:, 1]
        if name == "ks":
            false_rate, true_rate, _ = metrics.roc_curve(truth, scores)
            return float(max(true_rate - false_rate))
        area = float(metrics.roc_auc_score(truth, scores))
        return area if name == "auc" else 2 * area - 1
    predicted = (pipeline.predict(features) == positive).astype(int)
    functions = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}
    return float(functions[name](truth, predicted, zero_division=0))


def _note(configuration: Configuration, text: str) -> None:
    if text not in configuration.notes:
        configuration.notes.append(text)
