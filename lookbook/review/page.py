"""The page on which a person decides: one file, nothing fetched from outside (page.html.jinja)."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from lookbook.drawing.galleries import address_of, is_large
from lookbook.foundation.files import write_text
from lookbook.foundation.names import in_page

FOLDER = Path(__file__).parent
SIDE, SMALL_SIDE = 256, 64  # pixels of a picture and of a neighbour, at most


@dataclass(frozen=True, eq=False)
class Candidate:
    """A picture to decide on.

    Attributes:
        pixels: uint8 of shape (height, width, 1 or 3).
        id: As the splits name it.
        source: Its name in the data set.
        split: `train`, `validation` or `test`.
        given: The class that the data give it.
        suggested: The class to change it to, unless the person says otherwise.
        given_share: What the probe gives the former, from 0 to 1.
        suggested_share: What it gives the latter.
        neighbours: Pixels and label of the pictures that are most like it.
    """

    pixels: np.ndarray
    id: str
    source: str
    split: str
    given: str
    suggested: str
    given_share: float
    suggested_share: float
    neighbours: Sequence[tuple[np.ndarray, str]]

    @property
    def address(self) -> str:
        """The picture as a `data:` address."""
        return address_of(self.pixels, SIDE)

    @property
    def is_large(self) -> bool:
        """Whether it is large enough not to show its pixels."""
        return is_large(self.pixels)

    @property
    def alike(self) -> list[tuple[str, str]]:
        """Address and label of each neighbour."""
        return [(address_of(pixels, SMALL_SIDE), label) for pixels, label in self.neighbours]


@dataclass(frozen=True, eq=False)
class Section:
    """One kind of pictures to decide on.

    Attributes:
        title: What they are.
        words: Why they are here.
        candidates: In the order of the page.
    """

    title: str
    words: str
    candidates: list[Candidate]


def write_page(
    path: Path,
    *,
    dataset: str,
    version: str,
    classes: list[str],
    sections: list[Section],
    lines: list[str],
) -> None:
    """Write the page.

    Args:
        path: The HTML file.
        dataset: The set's name.
        version: The fingerprint of its pictures and given labels.
        classes: In label order.
        sections: What there is to decide on.
        lines: What a reader should know first.
    """
    environment = jinja2.Environment(
        autoescape=True,
        finalize=in_page,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    script, style = (
        (FOLDER / f"page.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")
    )
    template = (FOLDER / "page.html.jinja").read_text(encoding="utf-8")
    page = environment.from_string(template).render(
        dataset=dataset,
        version=version,
        classes=classes,
        sections=[section for section in sections if section.candidates],
        lines=lines,
        script=Markup(script),
        style=Markup(style),
        script_hash=_hash(script),
        style_hash=_hash(style),
    )
    write_text(path, page + "\n")


def _hash(text: str) -> str:
    """Return what a page's policy calls a script or style of its own by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
