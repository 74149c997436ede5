"""The page on what changed since another revision: verdicts first, then pictures."""

from dataclasses import dataclass
from pathlib import Path

from lookbook.foundation.files import write_text
from lookbook.reporting.gallery import Shown
from lookbook.reporting.rendering import rendered


@dataclass(frozen=True)
class Part:
    """Pictures that were put right, or wrong: how many, and some of them."""

    count: int
    pictures: list[Shown]


@dataclass(frozen=True)
class ModelChange:
    """A model here, and as it was at the other revision.

    Attributes:
        title: What people read.
        verdict: `better`, `worse` or `within noise`.
        told: The difference with its interval.
        mended: Pictures that it has right here alone.
        broken: Pictures that it had right there alone.
    """

    title: str
    verdict: str
    told: str
    mended: Part
    broken: Part


def write_comparison(
    path: Path,
    revision: str,
    changes: list[ModelChange],
    remarks: list[str],
    differences: dict[str, str],
    pictures: str,
) -> None:
    """Write the page.

    Args:
        path: The HTML file.
        revision: That was compared with.
        changes: Of each model.
        remarks: What a reader should know.
        differences: Text by its title, such as the parameters that differ.
        pictures: Rules of style that have them.
    """
    content = {
        "revision": revision,
        "changes": changes,
        "remarks": remarks,
        "differences": differences,
    }
    write_text(path, rendered("comparison.html.jinja", content, pictures))
