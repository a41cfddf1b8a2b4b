"""The main job on real input: train, deploy, call and watch a model on the sandbox, told by a report."""

from modelport.demo._run import DemoResult, run

__all__ = ["DemoResult", "run"]
