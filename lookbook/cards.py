"""Data set cards: what a data set is, where its files come from, and the hashes that they have.

A card has two halves that know nothing of each other: `source` says how its files are brought
here (see `lookbook.sources`), `reader` says how pictures are read from them (see
`lookbook.readers`).
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from lookbook.errors import LookbookError
from lookbook.validation import Count, Section, read_yaml, validated

CARDS = Path("data/datasets.yaml")

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://.+[^/]$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PublishedFile(Section):
    """A file as its publisher offers it; the hash alone decides whether it is the right one."""

    name: FileName
    bytes: Count
    sha256: Sha256


class BundledSource(Section):
    """Files that an installed Python package brings along, under `folder` of the package."""

    kind: Literal["bundled"]
    package: str
    folder: str


class HttpSource(Section):
    """Files at `<origin>/<file name>`; the origins are tried in order."""

    kind: Literal["http"]
    origins: Annotated[list[Address], Field(min_length=1)]


class DigitsReader(Section):
    """scikit-learn's digits.csv.gz."""

    kind: Literal["digits"]


class IdxPair(Section):
    """The two IDX files of a split."""

    images: FileName
    labels: FileName


class IdxReader(Section):
    """MNIST's file format, with a published test split."""

    kind: Literal["idx"]
    train: IdxPair
    test: IdxPair


class Card(Section):
    """One entry of data/datasets.yaml."""

    title: str
    licence: str
    homepage: str
    classes: Annotated[list[str], Field(min_length=2)]
    files: Annotated[list[PublishedFile], Field(min_length=1)]
    source: Annotated[BundledSource | HttpSource, Field(discriminator="kind")]
    reader: Annotated[DigitsReader | IdxReader, Field(discriminator="kind")]

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: list[str]) -> list[str]:
        if len(set(classes)) < len(classes):
            raise ValueError("a list of different names")
        return classes


def load_card(name: str, path: Path = CARDS) -> Card:
    """Read and check one card; the others are not looked at.

    Raises:
        LookbookError: If there is no card of that name (the known ones are listed), or if it is
            not complete: a file without a hash is refused.
    """
    cards = read_yaml(path)
    if name not in cards:
        raise LookbookError(
            f"Expected dataset to be one of {', '.join(sorted(cards))}. Received: {name!r}. "
            f"Change it in params.yaml, or add a card to {path}."
        )
    return validated(Card, cards[name], path=path, prefix=name)
