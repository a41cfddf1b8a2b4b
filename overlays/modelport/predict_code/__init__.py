"""Programs that call a deployed model: one description of the request, one renderer per language and library."""

from modelport.predict_code._errors import (
    InvalidRequestError,
    PredictCodeError,
    SecretLeakError,
    UnknownLanguageError,
    UnsupportedRequestError,
)
from modelport.predict_code._model import Auth, Job, JsonBody, MultipartBody, PredictRequest
from modelport.predict_code._render import render
from modelport.predict_code._targets import Target, languages, target, targets

__all__ = [
    "Auth",
    "InvalidRequestError",
    "Job",
    "JsonBody",
    "MultipartBody",
    "PredictCodeError",
    "PredictRequest",
    "SecretLeakError",
    "Target",
    "UnknownLanguageError",
    "UnsupportedRequestError",
    "languages",
    "render",
    "target",
    "targets",
]
