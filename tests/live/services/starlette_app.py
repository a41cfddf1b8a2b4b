"""A Starlette service in two lines of monitoring; predictions go to files in $DIRECTORY at its end."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from modelport import ModelMonitor
from modelport.monitor import MonitorMiddleware
from modelport.predictions import FileSink


async def predict(request: Request) -> JSONResponse:
    row = await request.json()
    return JSONResponse({"prediction": row["age"] / 100})


# Nothing is shipped before the end.
monitor = ModelMonitor("churn", sinks=[FileSink(os.environ["DIRECTORY"])], interval=3600)
app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
app.add_middleware(MonitorMiddleware, monitor=monitor, path="/predict", metrics_path="/metrics")
