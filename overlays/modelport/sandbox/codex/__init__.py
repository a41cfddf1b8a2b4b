"""Datarisk MLOps Codex, the other side: one module per group of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.auth import Auth
from modelport.sandbox.codex.context import Context
from modelport.sandbox.codex.datasets import Datasets
from modelport.sandbox.codex.datasources import Datasources
from modelport.sandbox.codex.docs import Docs
from modelport.sandbox.codex.drift_pages import DriftPages
from modelport.sandbox.codex.external_monitoring import ExternalMonitoring
from modelport.sandbox.codex.groups import Groups
from modelport.sandbox.codex.models import Models
from modelport.sandbox.codex.monitoring import Monitoring
from modelport.sandbox.codex.predictions import Predictions
from modelport.sandbox.codex.preprocessing import Preprocessing
from modelport.sandbox.codex.preprocessing_v2 import PreprocessingV2
from modelport.sandbox.codex.promotion import Promotion
from modelport.sandbox.codex.training import Training
from modelport.sandbox.codex.training_v2 import TrainingV2
from modelport.sandbox.platform import Services, bind

if TYPE_CHECKING:
    from starlette.routing import Route

    from modelport.sandbox._errors import ApiError
    from modelport.sandbox.spec import Operation, Spec

__all__ = ["Codex"]


class Codex:
    """The platform behind `/codex`; its API base is `/codex/api`."""

    name = "codex"
    prefix = "/codex/api"

    def __init__(self, spec: Spec, services: Services) -> None:
        self.spec = spec
        context = Context(services)
        self._auth = Auth(context)
        self._drift = DriftPages(context)
        models = Models(context)
        training = Training(context)
        preprocessing = Preprocessing(context)
        self.handlers = bind(
            spec,
            [
                self._auth,
                Groups(context),
                training,
                TrainingV2(context, training),
                Promotion(context),
                models,
                Docs(context),
                Predictions(context, models.hosting, preprocessing),
                preprocessing,
                PreprocessingV2(context),
                Datasets(context),
                Datasources(context),
                Monitoring(context),
                ExternalMonitoring(context),
            ],
        )

    def authenticate(self, operation: Operation, call: Call) -> None:
        """Set the principal of a call: a user name, or the group of a group token."""
        self._auth.authenticate(operation, call)

    def error(self, error: ApiError) -> Reply:
        """`{"Error": {"Type", "Message"}}`."""
        body = {"Error": {"Type": error.kind, "Message": error.message}}
        return Reply(body, error.status, headers=error.headers)

    def routes(self) -> list[Route]:
        """The drift of deployed models, as pages and as JSON."""
        return self._drift.routes()

    def reset(self) -> None:
        """Forget the drift reports: nothing else is kept in memory."""
        self._drift.reset()

    def expire_tokens(self) -> int:
        """End every login token now."""
        return self._auth.expire()
