"""Typed models of the YAML files that people edit, and one sentence for each fault in them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)

from lookbook.foundation import bounded_yaml
from lookbook.foundation.errors import LookbookError


class Section(BaseModel):
    """A group of settings: every one must be given, none may be unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Section)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def is_name(text: str) -> bool:
    """Whether a data set, or a base, may be called so: of such a name any path can be made."""
    return bool(NAME.fullmatch(text))


def _no_truth_value(value: Any) -> Any:
    # pydantic takes True for 1 where a number is wanted; `epochs: yes` is a mistake.
    if isinstance(value, bool):
        raise ValueError("a number")
    return value


# Text such as "1e-6" is read as a number: `-S train_ann.learning_rate=1e-6` arrives that way.
Integer = Annotated[int, BeforeValidator(_no_truth_value)]
Number = Annotated[float, BeforeValidator(_no_truth_value)]
Count = Annotated[Integer, Field(ge=1)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Flag = Annotated[bool, Field(strict=True)]
Auto = Literal["auto"]


@dataclass(frozen=True)
class Choice:
    """What `auto` means for a data set.

    Attributes:
        value: In place of `auto`.
        reason: Why, in words.
    """

    value: int | str
    reason: str


def auto_or(kind: Any, words: str) -> PlainValidator:
    """Return what checks for `auto` or a value of another kind.

    A union would name two faults, neither of them helpful.

    Args:
        kind: The other type.
        words: What it is called in the message.
    """
    adapter = TypeAdapter(kind)

    def check(value: Any) -> Any:
        if value == "auto":
            return value
        try:
            return adapter.validate_python(value)
        except ValidationError:
            raise ValueError(f"auto or {words}") from None

    return PlainValidator(check)


def auto_or_whole(least: int, most: int) -> PlainValidator:
    """Return what checks for `auto` or a whole number within these bounds."""
    words = f"a whole number of {least:,} to {most:,}"
    return auto_or(Annotated[Integer, Field(ge=least, le=most)], words)


AutoShare = Annotated[
    Auto | float,
    auto_or(Annotated[Number, Field(ge=0, lt=1)], "a share of at least 0 and less than 1"),
]
AutoFlag = Annotated[Auto | bool, auto_or(Flag, "true or false")]


def read_yaml(path: Path) -> dict:
    """Read a YAML file that holds a mapping.

    Raises:
        LookbookError: If the file is missing, is not YAML, or holds something else.
    """
    try:
        content = bounded_yaml.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LookbookError(
            f"Expected the file {path} in the current folder. Received: no such file in "
            f"{Path.cwd()}. Run the command in the project's root."
        ) from None
    except ValueError as error:
        raise LookbookError(
            f"Expected {path} to be YAML. Received: {error}. Mend that line."
        ) from None
    if not isinstance(content, dict):
        raise LookbookError(
            f"Expected {path} to hold names with their values. Received: "
            f"{type(content).__name__}. Write it as `name: value` lines."
        )
    return content


def validated(model: type[Model], content: Any, *, path: Path, prefix: str = "") -> Model:
    """Build `model` from `content`.

    Args:
        model: The section to build.
        content: What the YAML file holds for it.
        path: The file, for the message.
        prefix: What stands before the names in the message, for a part of the file.

    Raises:
        LookbookError: With a sentence for each fault: the name, what was expected, what was
            received.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = [_sentence(fault, model, prefix) for fault in error.errors()]
    raise LookbookError("\n       ".join(faults) + f" Change it in {path}.")


def _sentence(fault: Mapping[str, Any], model: type[Section], prefix: str) -> str:
    location = fault["loc"]
    name = ".".join([prefix, *map(str, location)] if prefix else map(str, location)) or "the file"
    if fault["type"] == "extra_forbidden":
        return _unknown_name(name, location, model)
    if fault["type"] == "missing":
        return f"Expected a value for {name}. Received: nothing."
    if fault["type"] == "union_tag_invalid":
        context = fault["ctx"]
        return f"Expected {name}.kind to be {context['expected_tags']}. Received: {context['tag']}."
    if fault["type"] == "union_tag_not_found":
        return f"Expected a value for {name}.kind. Received: nothing."
    if fault["type"] == "value_error":  # from our own validators
        reason = str(fault["ctx"]["error"])
        if reason.startswith("Expected"):  # a sentence already, on several settings together
            return reason
        expected = f"be {reason}"
    else:  # "Input should be a valid list", "String should match pattern ..."
        expected = re.sub(r"^\w+ should ", "", fault["msg"])
    return f"Expected {name} to {expected}. Received: {fault['input']!r}."


def _unknown_name(name: str, location: tuple, model: type[Section]) -> str:
    *sections, key = location
    holder = model
    for section in sections:
        field = holder.model_fields.get(section) if isinstance(section, str) else None
        if field is None or not _is_section(field.annotation):
            return f"Expected no setting {name}. Received: one."
        holder = field.annotation
    known = ", ".join(holder.model_fields)
    homes = [
        other
        for other, field in model.model_fields.items()
        if _is_section(field.annotation) and key in field.annotation.model_fields
    ]
    hint = f" ({key} is a parameter of {', '.join(homes)})" if homes else ""
    where = f"the section {'.'.join(map(str, sections))}" if sections else "the file"
    return f"Expected {where} to hold only {known}. Received: {name}, which is unknown{hint}."


def _is_section(annotation: Any) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)
