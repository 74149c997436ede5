"""One page on a run of the pipeline: the same bytes for the same run, nothing fetched from outside.

Whatever is shown was computed elsewhere, or beside this; here it is put together for the templates.
"""

from pathlib import Path

import pandas as pd
import yaml

from lookbook.evaluation.learning_curve import read_learning_curve
from lookbook.evaluation.results import Result
from lookbook.evaluation.scores import absent, changed_labels, picked
from lookbook.foundation.arithmetic import processor
from lookbook.foundation.files import md5_of, write_text
from lookbook.foundation.params import Params
from lookbook.ladder.promise import WORDS
from lookbook.ladder.rungs import rung
from lookbook.reporting import charts, findings, numbers
from lookbook.reporting.again import changed, versions
from lookbook.reporting.album import Album
from lookbook.reporting.comparing import pairs
from lookbook.reporting.models import Model, model_of, told
from lookbook.reporting.numbers import digits_of
from lookbook.reporting.rendering import rendered
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split

COLUMNS = ("macro_f1", "log_loss", "calibration_error")
NAMED = 12  # classes on the first screen
COSTS = ("image_size", "parameters", "operations", "file_bytes")


def write_page(
    path: Path,
    results: dict[str, Result],
    *,
    figures: Path,
    guessing: dict,
    crossed: dict[str, dict],
    headline: Headline,
    splits: tuple[Split, Split, Split],
    audit: dict,
    curves: dict[str, pd.DataFrame],
    learning_curve: Path,
    params: Params,
    promised: str,
) -> None:
    """Write the page.

    Args:
        path: The HTML file.
        results: Of each model, in the order of the ladder.
        figures: The file that has them all; a run is found again by it.
        guessing: The figures of the most frequent class, whom a model must beat.
        crossed: What cross-validation says of some models, where the test split is small.
        headline: What the models are ranked by.
        splits: Training, validation and test data.
        audit: What metrics/preprocess.json says of them.
        curves: Loss and accuracy by epoch of each network.
        learning_curve: As the command of that name left it; shown if it is of these data.
        params: All parameters.
        promised: On which machines all this comes out again, see `lookbook.ladder.promise`.
    """
    album = Album()
    train, _, test = splits
    said = {name: result.test for name, result in results.items()}
    titles = {name: result.rung.title for name, result in results.items()}
    entries = {name: result.figures for name, result in results.items()}
    best = picked(entries, headline)
    digits = digits_of(*(entries[best][f"{headline.name}_{end}"] for end in ("low", "high")))
    models = {name: model_of(result, digits, album) for name, result in results.items()}
    fingerprints = {split.name: split.fingerprint() for split in splits}
    curves = {name: curves[name] for name in results if name in curves}
    content = {
        "dataset": in_words(params.dataset),
        "spec": train.spec,
        "named": NAMED,
        "headline": headline,
        "models": models,
        "picked": models[best],
        "digits": digits,
        "notes": notes(crossed, headline, test, said),
        "ladder": charts.ladder(entries, titles, headline),
        "rows": table_rows(models, guessing, headline, digits),
        "guessing": guessing,
        "pairs": pairs(said, headline, test, album),
        "doubtful": findings.doubtful(said, test, album) if len(said) > 1 else (0, []),
        "reliability": charts.reliability_panels(said, titles),
        "curves": {
            name: charts.curve_panels(curves, titles, name)
            for name in ("accuracy", "loss")
            if curves
        },
        "ends": {name: table.iloc[-1].to_dict() for name, table in curves.items()},
        "classes": findings.class_rows(audit, train, album),
        "findings": findings.findings(audit, splits, album),
        "audit": audit,
        "changed": changed(params),
        "params": yaml.safe_dump(params.model_dump(), sort_keys=False),
        "md5": md5_of(figures),
        "files": {r.path.as_posix(): md5_of(r.path) for r in results.values()},
        "fingerprints": fingerprints,
        "versions": versions(),
        "promise": WORDS[promised],
        "processor": "" if promised == "everywhere" else processor(),
    }
    learnt = read_learning_curve(learning_curve, params, fingerprints)
    content["learnt"] = learnt and (learnt["sentence"], charts.learning_panel(learnt), learnt)
    write_text(path, rendered("page.html.jinja", content, album.style))


def notes(
    crossed: dict[str, dict], headline: Headline, test: Split, said: dict
) -> list[tuple[str, str]]:
    """Return what a reader should know first: an id and a sentence each."""
    found = [("unequal", headline.reason)] if headline.reason else []
    found += [("relabelled", sentence) for sentence in changed_labels(test)]
    found += [("absent", sentence) for sentence in absent(next(iter(said.values())))]
    for name, entry in crossed.items():
        low, high = entry["low"], entry["high"]
        digits = numbers.digits_of(low, high)
        bounds = f"{numbers.percent(low, digits)} to {numbers.percent(high, digits)}"
        found.append((
            f"crossed-{name}",
            f"There are only {len(test):,} test pictures. {rung(name).title}: cross-validation of "
            f"{rung(name).crossed} over the other {entry['pictures']:,} gives "
            f"{numbers.percent(entry[headline.name], digits)} ({bounds}).",
        ))  # fmt: skip
    return found


def table_rows(
    models: dict[str, Model], guessing: dict, headline: Headline, digits: int
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the ladder as a table: for each row its title, and key and text of each figure."""
    keys = [headline.name, *COLUMNS, *COSTS]
    keys[1:1] = ["accuracy"] if headline.is_balanced else []
    rows = []
    entries = [(model.title, model.figures) for model in models.values()]
    for title, figures in [*entries, ("Always the most frequent class", guessing)]:
        by_key = {figure.key: figure.text for figure in told(figures, digits)}
        if figures is guessing:
            by_key |= dict.fromkeys(COSTS, "")
        rows.append((title, [(key, by_key[key]) for key in keys]))
    return rows


def in_words(name: str) -> str:
    """Return the name of a data set as a title."""
    return name[:1].upper() + name[1:].replace("_", " ")
