"""A Flask service in two lines of monitoring; predictions go to files in $DIRECTORY at its end."""

import os
from typing import Any

from flask import Flask, request

from modelport import ModelMonitor
from modelport.monitor import WSGIMonitorMiddleware
from modelport.predictions import FileSink

app = Flask(__name__)


@app.post("/predict")
def predict() -> dict[str, Any]:
    return {"prediction": request.get_json()["age"] / 100}


monitor = ModelMonitor("churn", sinks=[FileSink(os.environ["DIRECTORY"])], interval=3600)
app.wsgi_app = WSGIMonitorMiddleware(  # type: ignore[method-assign]
    app.wsgi_app, monitor, path="/predict", metrics_path="/metrics"
)
