"""What responses look like, and what `/openapi.json` says of them."""

from dataclasses import dataclass

from lookbook.inference import Prediction


@dataclass(frozen=True)
class Model:
    """Which model answers.

    Attributes:
        model: Its name.
        model_sha256: Of its file in the pipeline.
        data_sha256: Of what it learnt from.
    """

    model: str
    model_sha256: str
    data_sha256: str


@dataclass(frozen=True)
class Answer(Prediction):
    """What the model says of a picture, with the name of its file if a form gave one."""

    name: str | None = None


@dataclass(frozen=True)
class Unread:
    """A picture that could not be read, and why."""

    name: str | None
    error: str


@dataclass(frozen=True)
class Answers(Model):
    """What the model says, in the order of the pictures."""

    pictures: list[Answer | Unread]


@dataclass(frozen=True)
class Refused:
    """Why there is no answer, and what to do."""

    error: str


@dataclass(frozen=True)
class NoAnswers(Answers, Refused):
    """Why none of the pictures could be read."""


@dataclass(frozen=True)
class Ready(Model):
    """That the model is loaded; `note` says if another one lies in its place by now."""

    ready: bool
    note: str | None


@dataclass(frozen=True)
class Healthy:
    """That the process lives."""

    healthy: bool
