"""The client of a Codex server."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from modelport.codex._account import DEFAULT_URL, Account
from modelport.codex._async._login import AsyncLogin
from modelport.codex._async._session import AsyncSession
from modelport.codex._inputs import check_url
from modelport_api.codex.v1 import AsyncClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport._waiting import OnProgress, Polling
    from modelport.codex._async.datasets import AsyncDatasets
    from modelport.codex._async.datasources import AsyncDataSources
    from modelport.codex._async.groups import AsyncGroups
    from modelport.codex._async.models import AsyncModels
    from modelport.codex._async.monitoring import AsyncMonitorings
    from modelport.codex._async.pipeline import AsyncPipelineResult
    from modelport.codex._async.preprocessings import AsyncPreprocessings
    from modelport.codex._async.trainings import AsyncTrainings
    from modelport.codex._files import FilePath
    from modelport.codex.pipeline import Pipeline
    from modelport_api.codex.v1 import AsyncHTTPClient, AsyncMiddleware, Timeout, Tracer, models

__all__ = ["AsyncCodex"]

_TIMEOUT_SECONDS = 60.0
_MAX_RETRIES = 2


class AsyncCodex:
    """A client of a Datarisk MLOps Codex server.

    Making one does no network; it logs in on the first call that needs it. Close it, or use it in a ``with`` block.

    Args:
        url: The server; ``/api`` is appended unless it is there. By default the vendor's own.
        user: Who logs in.
        password: Of that user.
        tenant: Part of the login on servers that have tenants.
        group_token: For predictions; tokens of groups that this client creates are known to it without.
        timeout: Seconds for each phase of an attempt, or a `Timeout`; None waits for ever.
        max_retries: Attempts after the first, where a repeat is safe.
        polling: How waits look after work on the server.
        middleware: Functions of an attempt and ``send``, called for every attempt, the login's too.
        tracer: A tracer of OpenTelemetry, or True for one of the global provider's: one span a call.
        http_client: A client of your own (proxy, mTLS, transport); it is then yours to close.

    Raises:
        InvalidInputError: An argument is wrong.

    Example:
        ``async with AsyncCodex.from_env() as codex: print(await codex.groups.list())``
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        user: str | None = None,
        password: str | None = None,
        tenant: str | None = None,
        group_token: str | None = None,
        timeout: float | Timeout | None = _TIMEOUT_SECONDS,
        max_retries: int = _MAX_RETRIES,
        polling: Polling | None = None,
        middleware: Sequence[AsyncMiddleware] = (),
        tracer: Tracer | bool | None = None,
        http_client: AsyncHTTPClient | None = None,
    ) -> None:
        self._account = Account(user, password, tenant)
        self._client = AsyncClient(
            check_url(url or DEFAULT_URL),
            timeout=timeout,
            max_retries=max_retries,
            middleware=middleware,
            tracer=tracer,
            http_client=http_client,
        )
        self._login = AsyncLogin(self._client, self._account)
        logged_in = self._client.with_options(credentials={"userToken": self._login})
        self._session = AsyncSession(logged_in, group_token=group_token, polling=polling)

    @classmethod
    def from_env(
        cls,
        profile: str | None = None,
        *,
        url: str | None = None,
        user: str | None = None,
        password: str | None = None,
        tenant: str | None = None,
        group_token: str | None = None,
        timeout: float | Timeout | None = _TIMEOUT_SECONDS,
        max_retries: int = _MAX_RETRIES,
        polling: Polling | None = None,
        middleware: Sequence[AsyncMiddleware] = (),
        tracer: Tracer | bool | None = None,
        http_client: AsyncHTTPClient | None = None,
    ) -> Self:
        """A client set up by the environment and by profiles; arguments win.

        The variables are ``MODELPORT_CODEX_URL``, ``_USER``, ``_PASSWORD``, ``_TENANT`` and ``_GROUP_TOKEN``, and after
        them the vendor's ``MLOPS_URL`` and so on. For profiles see `modelport.config`.

        Args:
            profile: The profile to use; without it the environment rules and the profile ``default`` fills the gaps.

        Raises:
            ConfigError: There is no such profile, or the file of profiles is wrong.
        """
        from modelport.codex._settings import from_environment

        found = from_environment(profile)
        return cls(
            url or found.get("url"),
            user=user or found.get("user"),
            password=password or found.get("password"),
            tenant=tenant or found.get("tenant"),
            group_token=group_token or found.get("group_token"),
            timeout=timeout,
            max_retries=max_retries,
            polling=polling,
            middleware=middleware,
            tracer=tracer,
            http_client=http_client,
        )

    @property
    def url(self) -> str:
        """The base of the API."""
        return self._client.base_url

    @property
    def raw(self) -> AsyncClient:
        """The generated client underneath, logged in the same way: every operation of the platform."""
        return self._session.client

    async def health(self) -> models.Health:
        """The server's version, if it answers; needs no login."""
        return await self._client.health.get_health()

    async def login(self) -> None:
        """Log in now, to see whether the credentials are right; calls do so by themselves.

        Raises:
            ConfigError: There is nobody to log in as.
            AuthenticationError: The server refuses user, password or tenant.
        """
        await self._login.token()

    @cached_property
    def groups(self) -> AsyncGroups:
        """Groups, which own everything else, and their tokens."""
        from modelport.codex._async.groups import AsyncGroups

        return AsyncGroups(self._session)

    @cached_property
    def trainings(self) -> AsyncTrainings:
        """Training experiments and their runs."""
        from modelport.codex._async.trainings import AsyncTrainings

        return AsyncTrainings(self._session)

    @cached_property
    def models(self) -> AsyncModels:
        """Models: upload, find, predict."""
        from modelport.codex._async.models import AsyncModels

        return AsyncModels(self._session)

    @cached_property
    def preprocessing(self) -> AsyncPreprocessings:
        """Scripts that prepare the input of models."""
        from modelport.codex._async.preprocessings import AsyncPreprocessings

        return AsyncPreprocessings(self._session)

    @cached_property
    def datasets(self) -> AsyncDatasets:
        """Datasets that the platform keeps."""
        from modelport.codex._async.datasets import AsyncDatasets

        return AsyncDatasets(self._session)

    @cached_property
    def datasources(self) -> AsyncDataSources:
        """Places in a cloud that datasets are imported from."""
        from modelport.codex._async.datasources import AsyncDataSources

        return AsyncDataSources(self._session)

    @cached_property
    def monitoring(self) -> AsyncMonitorings:
        """Monitorings of models, hosted here or served elsewhere."""
        from modelport.codex._async.monitoring import AsyncMonitorings

        return AsyncMonitorings(self._session)

    async def run_pipeline(
        self,
        pipeline: Pipeline | FilePath,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - a deadline kept by the schedule, not by cancelling
        on_progress: OnProgress | None = None,
    ) -> AsyncPipelineResult:
        """What a pipeline made: it trains, deploys and watches, and waits for each.

        Args:
            pipeline: A `Pipeline`, or the YAML file of one. This client's server is used, whatever the file says.
            timeout: Seconds for each wait.
            on_progress: Called with a `Progress` after each look.

        Raises:
            PipelineError: The file is wrong; names everything that is. Nothing was sent.
            OperationFailedError: A step ended badly; the notes of the error say how far the pipeline got.
        """
        from modelport.codex._async.pipeline import run_pipeline

        return await run_pipeline(self, pipeline, timeout, on_progress)

    async def close(self) -> None:
        """Close the connections, unless the HTTP client was brought from outside."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        who = "" if self._account.user is None else f", user={self._account.user!r}"
        return f"{type(self).__name__}({self.url!r}{who})"
