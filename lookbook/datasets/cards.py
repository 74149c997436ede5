"""Data set cards: what a data set is, where its files come from, and the hashes that they have.

    data/cards/<name>.yaml

A card has two halves that know nothing of each other: `source` says how its files are brought
here (see `lookbook.sources`), `reader` says how pictures are read from them (see
`lookbook.readers`).
"""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.names import is_harmful
from lookbook.foundation.schema import (
    Choice,
    Count,
    Integer,
    Number,
    Section,
    Share,
    is_name,
    read_yaml,
    validated,
)

CARDS = Path("data/cards")
LONGEST_CLASS = 100  # characters
RESERVED = ("features", "weights")  # folders of the cache and the mirror that are no data set's

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://.+[^/]$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PublishedFile(Section):
    """A file as its publisher offers it; the hash alone decides whether it is the right one.

    Either the file itself has a known hash, or it is a zip archive that its publisher packs anew
    now and then: then the hashes are those of its members, their line ends made LF.
    """

    name: FileName
    bytes: Count | None = None
    sha256: Sha256 | None = None
    members: dict[str, Sha256] | None = None

    @model_validator(mode="after")
    def _can_be_verified(self) -> Self:
        if not self.members and not (self.bytes and self.sha256):
            raise ValueError("a file with its size as `bytes` and its `sha256`")
        return self

    def __str__(self) -> str:
        if self.members:
            return f"{self.name} (whose {', '.join(self.members)} have the hashes of the card)"
        return f"{self.name} ({self.bytes:,} bytes, SHA-256 {self.sha256})"


class BundledSource(Section):
    """Files that an installed Python package brings along, under `folder` of the package.

    A card may come from anybody: it names one of a few packages, and no folder outside of it.
    """

    kind: Literal["bundled"]
    package: Literal["sklearn"]
    folder: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*$")]


class HttpSource(Section):
    """Files at `<origin>/<file name>`; the origins are tried in order."""

    kind: Literal["http"]
    origins: Annotated[list[Address], Field(min_length=1)]


class KaggleSource(Section):
    """The zip file of a Kaggle data set, called `<slug>.zip`; a version may be pinned."""

    kind: Literal["kaggle"]
    dataset: Annotated[str, StringConstraints(pattern=r"^[\w-]+/[\w-]+(/[0-9]+)?$")]


class OwnSource(Section):
    """Photos of one's own, taken into data/own; see `lookbook.datasets.packs`.

    Attributes:
        places: Where they came from: folders, archives, lists, addresses.
        validation_size: Share of each class that validation gets.
        test_size: The same for test.
        group_pattern: A regular expression; photos in whose names it finds the same text stay in
            one split together. Its first group counts, if it has one.
        group_level: The folder above a photo that keeps its photos together: 1 is its own.
        name_column: Of a list: the column of file names, where it is not plain.
        label_column: Likewise of the labels.
        group_column: The column of what stays together.
        aliases: Classes that were renamed or merged: what they are called in those places, and
            in the set.
    """

    kind: Literal["own"]
    places: list[str]
    validation_size: Annotated[Number, Field(ge=0, lt=1)]
    test_size: Share
    group_pattern: str | None = None
    group_level: Count | None = None
    name_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None
    aliases: dict[str, str] = Field(default_factory=dict)


class MirrorSource(Section):
    """Files that only the mirror has, as `<mirror>/<folder>/<file name>`."""

    kind: Literal["mirror"]
    folder: FileName


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


class CsvReader(Section):
    """Tables `label,pixel1,...,pixelN` in a zip archive.

    Attributes:
        train: Name of the table, or of the member that holds it.
        test: Likewise, where a test split is published.
        labels: The label of each class, in the order of the card's classes.
    """

    kind: Literal["csv"]
    train: str
    test: str | None = None
    labels: list[Integer]


class ImagesReader(Section):
    """Archives of picture files, one folder a class.

    Attributes:
        channels: What pictures are brought to: 1 for grey, 3 for colour.
        needs_jfif: Leave out files without a JFIF marker, as TensorFlow Datasets does.
        max_unreadable: Share of unreadable pictures above which preprocess stops, where it is not
            the one of params.yaml.
        unreadable: How many are known to be so.
    """

    kind: Literal["images"]
    channels: Literal[1, 3]
    needs_jfif: bool = False
    max_unreadable: Share | None = None
    unreadable: Integer | None = None


class PacksReader(Section):
    """Packs of photos and a list of them, as `lookbook add` writes them.

    Attributes:
        channels: What photos are brought to: 1 for grey, 3 for colour.
    """

    kind: Literal["packs"]
    channels: Literal[1, 3]


class Card(Section):
    """One file of data/cards."""

    title: str
    licence: str
    homepage: str
    classes: Annotated[list[str], Field(min_length=2)]
    counts: dict[str, Count] | None = None  # pictures of each class, for people to read
    splits: dict[str, Integer] | None = None  # pictures of each split, likewise
    flips: bool = False  # a picture mirrored left to right is still one of its class
    choices: dict[str, Choice] | None = None  # what `auto` means; none: found out by preprocess
    files: Annotated[list[PublishedFile], Field(min_length=1)]
    source: Annotated[
        BundledSource | HttpSource | KaggleSource | MirrorSource | OwnSource,
        Field(discriminator="kind"),
    ]
    reader: Annotated[
        CsvReader | DigitsReader | IdxReader | ImagesReader | PacksReader,
        Field(discriminator="kind"),
    ]

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: list[str]) -> list[str]:
        fit = all(
            0 < len(name) <= LONGEST_CLASS and not any(map(is_harmful, name)) for name in classes
        )
        if len(set(classes)) < len(classes) or not fit:
            raise ValueError(
                f"a list of different names, each of 1 to {LONGEST_CLASS} printable characters"
            )
        return classes

    @field_validator("choices")
    @classmethod
    def _are_complete(cls, choices: dict[str, Choice] | None) -> dict[str, Choice] | None:
        if choices is None:
            return None
        values = {name: choice.value for name, choice in choices.items()}
        size, base, weights = (values.get(name) for name in ("image_size", "base", "class_weights"))
        known = isinstance(size, int) and size > 0 and isinstance(base, str) and is_name(base)
        if len(values) != 3 or not known or weights not in ("none", "balanced"):
            raise ValueError(
                "image_size (a whole number), base (a name) and class_weights (none or balanced), "
                "each with its `value` and `reason`, or to be left out"
            )
        return choices


def card_path(name: str, folder: Path = CARDS) -> Path:
    """Return where the card of that name is, or would be.

    Raises:
        LookbookError: If it is no name, above all if it leads out of the folder, or if a folder
            of the cache that is no data set's has it.
    """
    if not is_name(name) or name.casefold() in RESERVED:
        raise LookbookError(
            "Expected the name of a data set to be up to 64 letters, digits, _ and -, beginning "
            f"with a letter, and none of {', '.join(RESERVED)}. Received: {name!r}. Choose another."
        )
    return folder / f"{name}.yaml"


def known_cards(folder: Path = CARDS) -> list[str]:
    """Return the names of all cards."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_card(name: str, folder: Path = CARDS) -> Card:
    """Read and check one card; the others are not looked at.

    Raises:
        LookbookError: If there is no card of that name (the known ones are listed), or if it is
            not complete: a file without a hash is refused.
    """
    known = known_cards(folder)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise LookbookError(
            f"Expected dataset to be one of {', '.join(known)}. Received: {name!r}.{hint} "
            f"Change it in params.yaml, or add a card to {folder}."
        )
    path = card_path(name, folder)
    return validated(Card, read_yaml(path), path=path)
