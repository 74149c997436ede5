"""One page on a run of the pipeline: the same bytes for the same run, nothing fetched from outside.

Whatever is shown was computed elsewhere; here it is only laid out (page.html.jinja).
"""

import platform
import re
from importlib.metadata import version
from pathlib import Path

import jinja2
import pandas as pd
import yaml
from markupsafe import Markup

from lookbook.drawing.galleries import samples
from lookbook.evaluation.charts import draw_curves, draw_learning_curve
from lookbook.evaluation.learning_curve import read_learning_curve
from lookbook.evaluation.results import Result
from lookbook.foundation.files import md5_of, write_text
from lookbook.foundation.params import Params
from lookbook.foundation.versions import VERSIONS
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split

TEMPLATE = Path(__file__).with_name("page.html.jinja")
SAMPLES = 24


def write_page(
    path: Path,
    results: dict[str, Result],
    *,
    figures: Path,
    lines: list[str],
    table: pd.DataFrame,
    headline: Headline,
    splits: tuple[Split, Split, Split],
    audit: dict,
    charts: dict[str, Path],
    curves: dict[str, pd.DataFrame],
    learning_curve: Path,
    params: Params,
) -> None:
    """Write the page.

    Args:
        path: The HTML file.
        results: Of each model, in the order of the ladder.
        figures: The file that has them all; a run is found again by it.
        lines: The verdicts.
        table: The ladder, all of it text.
        headline: What the models are ranked by.
        splits: Training, validation and test data.
        audit: What metrics/preprocess.json says of them.
        charts: SVG files: `ladder`, `reliability` and `class_counts`.
        curves: Loss and accuracy by epoch of each network.
        learning_curve: As the command of that name left it; shown if it is of these data.
        params: All parameters.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"inline": inline, "percent": "{:.1%}".format}
    fingerprints = {split.name: split.fingerprint() for split in splits}
    learnt = read_learning_curve(learning_curve, params, fingerprints)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        dataset=params.dataset,
        md5=md5_of(figures),
        models={result.path.as_posix(): md5_of(result.path) for result in results.values()},
        results=results,
        lines=lines,
        table=table,
        headline=headline,
        spec=splits[0].spec,
        samples=samples(splits[0], SAMPLES),
        audit=flattened(audit),
        charts={name: chart.read_text(encoding="utf-8") for name, chart in charts.items()},
        curves={name: draw_curves(table) for name, table in curves.items()},
        learning_curve=learnt and (learnt["sentence"], draw_learning_curve(learnt)),
        params=yaml.safe_dump(params.model_dump(), sort_keys=False),
        fingerprints=fingerprints,
        versions={"python": platform.python_version()} | {name: version(name) for name in VERSIONS},
    )
    write_text(path, page + "\n")


def inline(svg: str) -> Markup:
    """Return an SVG file's content as a part of a page: no prologue, metadata or name spaces."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return Markup(re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg))


def flattened(content: dict, prefix: str = "") -> dict[str, object]:
    """Return the figures of nested sections by their full names, but for those of each class."""
    found: dict[str, object] = {}
    for key, value in content.items():
        if isinstance(value, dict) and key != "classes":
            found |= flattened(value, f"{prefix}{key}.")
        elif key != "classes":
            found[prefix + key] = value
    return found
