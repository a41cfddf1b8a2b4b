"""The one table of top-level commands. A new platform adds a line to PLATFORMS and a module ``_<platform>.py``."""

from __future__ import annotations

from modelport.cli._lazy import Entry

PLATFORMS = {
    "codex": Entry("modelport.cli._codex", "codex", "Datarisk MLOps Codex: groups, trainings, models, pipelines."),
}

COMMANDS = {
    "demo": Entry("modelport.cli._demo", "demo", "Train, deploy, call and watch a real model on the local sandbox."),
    "sandbox": Entry("modelport.cli._sandbox", "sandbox", "Run the local server that stands in for the platforms."),
    **PLATFORMS,
    "drift": Entry("modelport.cli._drift", "drift", "Compare data with a baseline."),
    "generate": Entry("modelport.cli._generate", "generate", "Write typed clients from OpenAPI documents."),
    "spec": Entry("modelport.cli._spec", "spec", "List, check and compare OpenAPI documents."),
    "completion": Entry("modelport.cli._completion", "completion", "Print the completion script for a shell."),
}
