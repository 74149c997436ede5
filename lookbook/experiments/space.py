"""search.yaml: which settings of a stage a search may try, checked as params.yaml is."""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import Field, model_validator

from lookbook.experiments.recipes import merged
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import PARAMS, Params
from lookbook.foundation.schema import Flag, Number, Section, read_yaml, validated
from lookbook.ladder.rungs import RUNGS

SPACE = Path("search.yaml")


class Range(Section):
    """Numbers from `low` to `high`, both included.

    Attributes:
        low: The least.
        high: The largest.
        log: Whether each power of ten is as likely as the next.
        step: Between two numbers; by default 1 for whole ones, any for others.
    """

    low: Number
    high: Number
    log: Flag = False
    step: Number | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _holds_several(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"a range with low below high, not {self.low:g} to {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a range above 0 where log is true, not from {self.low:g}")
        if self.log and self.step is not None:
            raise ValueError("a range with log or with step, not with both")
        if self.step is not None and self.step > self.high - self.low:
            raise ValueError(f"a range longer than its step {self.step:g}")
        return self


class Choices(Section):
    """Values of any kind, without an order."""

    choices: list[Any] = Field(min_length=2)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if any(one == other for one, other in pairwise(sorted(map(json.dumps, self.choices)))):
            raise ValueError("choices that differ")
        return self


@dataclass(frozen=True)
class Parameter:
    """A setting that a search may change.

    Attributes:
        name: Below its stage's section, as `fine_tune.learning_rate`.
        values: What it may be.
        is_whole: Whether it is a range of whole numbers.
    """

    name: str
    values: Range | Choices
    is_whole: bool = False


@dataclass(frozen=True)
class Space:
    """What a search of a stage may try.

    Attributes:
        stage: The stage, and the section of params.yaml.
        parameters: In the order of search.yaml.
    """

    stage: str
    parameters: tuple[Parameter, ...]

    def settings(self, values: dict[str, Any]) -> dict:
        """Return values by the parameters' names as params.yaml has them."""
        found: dict = {}
        for name, value in values.items():
            found = merged(found, _nested(f"{self.stage}.{name}", value))
        return found


def load_space(stage: str, path: Path = SPACE, params: Path = PARAMS) -> Space:
    """Read and check the section of a stage.

    Raises:
        LookbookError: If the stage is unknown or has no curves, or its section is missing, is
            empty, or names settings or values that params.yaml could not have.
    """
    _check_stage(stage)
    sections = read_yaml(path)
    for section in sections:
        _check_stage(section, f"as a section of {path}")
    if stage not in sections:
        raise LookbookError(
            f"Expected a section {stage} in {path}, with the settings to try. Received: "
            f"{', '.join(sections) or 'an empty file'}. Add one; the others show how."
        )
    defaults, prefix = read_yaml(params), f"{stage}."
    parameters = []
    for name, entry in _leaves(sections[stage], stage, path).items():
        _check_name(prefix + name, path)
        values: Range | Choices
        if "choices" in entry:
            values = validated(Choices, entry, path=path, prefix=prefix + name)
        else:
            values = validated(Range, entry, path=path, prefix=prefix + name)
        _check_values(prefix + name, values, defaults, path)
        is_whole = isinstance(values, Range) and float not in _types(prefix + name)
        parameters.append(Parameter(name, values, is_whole))
    return Space(stage, tuple(parameters))


def _check_stage(stage: str, where: str = "to search") -> None:
    known = [rung.name for rung in RUNGS if rung.has_curves]
    if stage not in known:
        reason = "which has no curves" if stage in [rung.name for rung in RUNGS] else "unknown"
        raise LookbookError(
            f"Expected a stage {where} that is trained by epochs: {', '.join(known)}. "
            f"Received: {stage}, {reason}. Name one of those."
        )


def _leaves(section: Any, name: str, path: Path) -> dict[str, dict]:
    """Return the ranges and choices below a section by their dotted names."""
    if not isinstance(section, dict) or not section:
        raise LookbookError(
            f"Expected {name} to hold settings, each with low and high, or with choices. "
            f"Received: {section!r}. Change it in {path}."
        )
    if not all(isinstance(key, str) for key in section):
        raise LookbookError(
            f"Expected {name} to hold names of settings. Received: {list(section)}. "
            f"Change it in {path}."
        )
    found: dict[str, dict] = {}
    for key, entry in section.items():
        if isinstance(entry, dict) and {"low", "high", "choices"} & set(entry):
            found[key] = entry
        else:
            below = _leaves(entry, f"{name}.{key}", path)
            found |= {f"{key}.{rest}": leaf for rest, leaf in below.items()}
    return found


def _check_name(name: str, path: Path) -> None:
    if name.endswith(".seed"):
        raise LookbookError(
            f"Expected settings that make a model better. Received: {name}, which is chance: the "
            f"best of several draws is no better on new data. Take it out of {path}."
        )
    if not re.fullmatch(r"\w+(\.\w+)+", name):
        raise LookbookError(
            f"Expected the name of a setting. Received: {name}. Nest the sections as "
            f"{PARAMS} does, in {path}."
        )


def _check_values(name: str, values: Range | Choices, defaults: dict, path: Path) -> None:
    """Raise a LookbookError unless params.yaml could have the values."""
    tried = values.choices if isinstance(values, Choices) else [values.low, values.high]
    for value in tried:
        validated(Params, merged(defaults, _nested(name, value)), path=path)
    if isinstance(values, Choices):
        return
    if not {int, float} & _types(name):
        raise LookbookError(
            f"Expected {name} to have choices. Received: a range, for a setting that is no number. "
            f"Change it in {path}."
        )
    numbers = (values.low, values.high, 1 if values.step is None else values.step)
    if float not in _types(name) and not all(float(number).is_integer() for number in numbers):
        raise LookbookError(
            f"Expected {name} to have whole numbers for low, high and step. Received: "
            f"{', '.join(f'{number:g}' for number in numbers)}. Change it in {path}."
        )


def _types(name: str) -> set[type]:
    """Return the types that a setting of params.yaml may have."""
    annotation: Any = Params
    for part in name.split("."):
        annotation = annotation.model_fields[part].annotation
    return {annotation, *get_args(annotation)}


def _nested(name: str, value: Any) -> dict:
    for part in reversed(name.split(".")):
        value = {part: value}
    return value
