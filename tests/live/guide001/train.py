"""The training program of guide 001, as its users have it, but for the import and our own data: python train.py."""

import pandas as pd
from sklearn.svm import SVC

from modelport import ModelMonitoringService

features = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0], "age": [40.0, 30.0, 20.0, 10.0]})
model = SVC(probability=True)  # pyright: ignore[reportArgumentType]
model.fit(features, [False, True, False, True])
inference = model.predict_proba(features)[:, 0]

# pandas 2 has taken iteritems away; items does the same.
columns = features.iteritems() if hasattr(features, "iteritems") else features.items()
ModelMonitoringService.export_text(
    features=columns,
    inference=inference.tolist(),
)
