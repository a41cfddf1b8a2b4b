"""Runs user code: worker processes with limits, their environments, and the guard that outlives the server."""

from modelport.sandbox.runner.environment import Environment, Environments, read_env_file
from modelport.sandbox.runner.pool import Runner
from modelport.sandbox.runner.worker import Outcome, Worker

__all__ = ["Environment", "Environments", "Outcome", "Runner", "Worker", "read_env_file"]
