"""A pipeline from a YAML file: what to train, deploy and watch. Reading one does no network and writes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from modelport._extras import require
from modelport.codex._pipeline_keys import SECTIONS, TOP, Problems
from modelport.errors import InvalidInputError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelport.codex._files import FilePath

__all__ = ["Pipeline"]

_URL_VARIABLES = ("MODELPORT_CODEX_URL", "MLOPS_URL")


@dataclass(frozen=True)
class Pipeline:
    """A pipeline, checked: every key is known, every file is there.

    Attributes:
        group: The group that owns everything; it is created if it is not there.
        python_version: Such as ``3.10``.
        url: The server that the file (or the environment, which wins) names; None if none does.
        training: Keys and values of the section, or None.
        deploy: Likewise.
        monitoring: Likewise.
    """

    group: str
    python_version: str
    url: str | None = None
    training: Mapping[str, Any] | None = None
    deploy: Mapping[str, Any] | None = None
    monitoring: Mapping[str, Any] | None = None
    source: str = field(default="the pipeline", compare=False)

    @classmethod
    def from_file(cls, path: FilePath, *, environ: Mapping[str, str] = os.environ) -> Pipeline:
        """The pipeline in a YAML file; folders in it are relative to the file.

        ``python_version: 3.10`` is understood with and without quotes. The file is only read.

        Raises:
            PipelineError: Keys are missing or unknown, values are wrong, or files are not there; names all of it.
            MissingExtraError: The extra ``pipeline`` is not installed.
        """
        yaml = require("yaml", "pipeline")
        place = Path(path)
        try:
            text = place.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"cannot read the pipeline {str(path)!r}: {error}") from error
        try:
            # BaseLoader leaves every value the text that it is: 3.10 stays 3.10.
            document = yaml.load(text, Loader=yaml.BaseLoader)
        except yaml.YAMLError as error:
            raise PipelineError(str(path), [f"it is not YAML: {error}"]) from error
        return cls.from_mapping(document, folder=place.parent, source=str(path), environ=environ)

    @classmethod
    def from_mapping(
        cls,
        document: Any,
        *,
        folder: FilePath = ".",
        source: str = "the pipeline",
        environ: Mapping[str, str] = os.environ,
    ) -> Pipeline:
        """The pipeline in a mapping of the same keys; folders in it are relative to `folder`.

        Raises:
            PipelineError: As for `from_file`.
        """
        problems = Problems(Path(folder))
        if not isinstance(document, dict):
            raise PipelineError(source, ["it must be a mapping with group, python_version and a section"])
        entries = cast("dict[str, Any]", document)
        sections = {name: entries[name] for name in SECTIONS if entries.get(name)}
        top = problems.checked(None, {key: value for key, value in entries.items() if key not in SECTIONS}, TOP)
        if not sections:
            problems.add(f"there is nothing to do: give {', '.join(SECTIONS)}, or some of them")
        with_training = "training" in sections
        read = {name: problems.section(name, value, with_training=with_training) for name, value in sections.items()}
        if "monitoring" in sections and "deploy" not in sections and not read.get("monitoring", {}).get("model_hash"):
            problems.add("monitoring: without a deploy section it needs model_hash")
        problems.raise_any(source)
        url = next((environ[name] for name in _URL_VARIABLES if environ.get(name)), None) or top.get("url")
        return cls(
            group=top["group"],
            python_version=top["python_version"],
            url=url,
            training=read.get("training"),
            deploy=read.get("deploy"),
            monitoring=read.get("monitoring"),
            source=source,
        )
