# pyright: reportMissingImports=false, reportUnknownVariableType=false
"""A Django service, by either interface; predictions go to files in $DIRECTORY at its end."""

import json
import os
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

from modelport import ModelMonitor
from modelport.monitor import MonitorMiddleware, WatchOptions, WSGIMonitorMiddleware
from modelport.predictions import FileSink

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="test", ALLOWED_HOSTS=["127.0.0.1"], MIDDLEWARE=[])
django.setup()


def predict(request: Any) -> Any:
    return JsonResponse({"prediction": json.loads(request.body)["age"] / 100})


urlpatterns = [path("predict", predict)]

monitor = ModelMonitor("churn", sinks=[FileSink(os.environ["DIRECTORY"])], interval=3600)
options: WatchOptions = {"path": "/predict", "metrics_path": "/metrics"}
asgi = MonitorMiddleware(get_asgi_application(), monitor, **options)
wsgi = WSGIMonitorMiddleware(get_wsgi_application(), monitor, **options)
