"""What came of a search, in words, as a table and as a picture."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lookbook.drawing.style import COLOURS, INK, STYLE, svg
from lookbook.drawing.tables import as_markdown
from lookbook.experiments.recipes import settings
from lookbook.experiments.search import STARTING, Search, Tried
from lookbook.experiments.verdict import Verdict, verdict_on
from lookbook.foundation.files import write_text
from lookbook.foundation.intervals import Estimate, mean_share
from lookbook.splits.headline import Headline

HEAD = "HEAD"  # the settings that there were
OVERHEAD = 4  # seconds of a trial besides the training: DVC, Git, the import of TensorFlow


def what_it_takes(stage: str, trials: int, workers: int, seconds: float | None) -> str:
    """Return what a search will take, before it starts.

    Args:
        stage: That is trained.
        trials: To come.
        workers: Trials at a time.
        seconds: That the last training of the stage took on this machine, if that is known.
    """
    words = f"{trials} trials of {stage} to come, {workers} at a time"
    if seconds is None:
        return (
            f"{words}. How long one takes is not known, since {stage} was never trained on this "
            "machine; the first trial will tell."
        )
    total = trials * (seconds + OVERHEAD) / 60
    least = "" if workers == 1 else f"{total / workers:.0f} min if {workers} at a time are "
    most = f"{total:.0f} min" + (" if they are no faster" if workers > 1 else "")
    joint = "as fast as one, " if workers > 1 else ""
    return (
        f"{words}, {seconds:.0f} s each if as the last training here, and some {OVERHEAD} s around "
        f"it: {least}{joint}{most}. Pruning makes it less."
    )


def told(trial: Tried, trials: int, classes: np.ndarray | None) -> str:
    """Return a line about a trial that is over.

    Args:
        trial: The trial.
        trials: How many there are to be.
        classes: Of the validation pictures, if every class is to count alike.
    """
    figures = {
        "finished": f"{trial.figure(classes):.4f} on validation pictures",
        "pruned": f"pruned at {trial.last:.4f}",
        "failed": f"failed: {trial.failure}",
    }
    how = f"{trial.epochs} epochs, {trial.seconds:.0f} s"
    return f"{trial.name} of {trials}: {figures[trial.state]}; {how}"


def write_report(folder: Path, search: Search, headline: Headline) -> str:
    """Write report.md and report.svg of a search; return the words of the former.

    Args:
        folder: Of the search.
        search: With its trials.
        headline: Which figure it is about.
    """
    tried = search.tried()
    finished = [trial for trial in tried if trial.right is not None]
    right = np.stack([search.before, *(t.right for t in finished if t.right is not None)])
    verdict = verdict_on(right, search.classes)
    importances = search.importances()
    lines = _lines(search, tried, finished, verdict, importances, headline)
    words = "\n".join(
        [
            f"# What did the search of {search.space.stage} find?",
            "",
            *(f"- {line}" for line in lines),
        ]
    )
    table = as_markdown(_table(tried, finished, verdict, search))
    picture = "![The trials, and which settings matter](report.svg)"
    write_text(folder / "report.svg", draw(search, tried, verdict, importances, headline))
    write_text(folder / "report.md", f"{words}\n\n{picture}\n\n{table}\n")
    return words


def _lines(
    search: Search,
    tried: list[Tried],
    finished: list[Tried],
    verdict: Verdict,
    importances: dict[str, float],
    headline: Headline,
) -> list[str]:
    counts = pd.Series([trial.state for trial in tried]).value_counts()
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    before = f"the settings at {HEAD}"
    best = finished[verdict.best - 1] if verdict.best else None
    pictures = len(search.before)
    share, whole = len(verdict.near), len(finished) + 1
    lines = [
        f"{len(tried)} trials: {states or 'none'}. Choice and figures are of {pictures:,} "
        "validation pictures; test pictures were not looked at.",
        f"The best: {_called(best, search) if best else before}, with a validation "
        f"{headline.words} of {verdict.figure:.4f}.",
        f"To expect of it on new pictures: {_said(verdict.expected)}. The figure above is the "
        f"largest of {whole}, and chance had a part in that.",
        f"Against {before}: {_gain(verdict.gain)}"
        + ("" if best else f"; no trial has a larger figure, so keep {before}"),
        f"Within noise of the best: {share} of {whole}. The cheapest of them: "
        + _cheapest(search, finished, verdict),
        "What the settings account for: "
        + (
            ", ".join(f"{name} {100 * part:.0f} %" for name, part in importances.items())
            or f"not said of fewer than {STARTING} finished trials, or of equal ones"
        ),
        "From the same seed the same trials come again."
        if search.workers <= 1
        else f"Not repeatable: {search.workers} workers, and what a trial is told depends on which "
        "others are over. With one worker the same trials come again.",
    ]
    if best:
        lines.append(f"To keep it: `dvc exp apply {best.name}`, then `git commit`.")
    return lines


def _called(trial: Tried, search: Search) -> str:
    return f"{trial.name} ({', '.join(_settings(trial, search))})"


def _settings(trial: Tried, search: Search) -> list[str]:
    return settings(search.space.settings(trial.settings))


def _said(estimate: Estimate) -> str:
    return f"{estimate.figure:.4f} (95 % interval {estimate.low:.4f}-{estimate.high:.4f})"


def _gain(gain: Estimate) -> str:
    words = f"{gain.figure:+.4f} to expect ({gain.low:+.4f} to {gain.high:+.4f})"
    if gain.low <= 0 <= gain.high:
        return f"within noise: {words}"
    return f"{'better' if gain.low > 0 else 'worse'}: {words}"


def _cheapest(search: Search, finished: list[Tried], verdict: Verdict) -> str:
    """Return the candidate near the best that takes the fewest operations, then epochs."""
    costs = [(search.baseline.operations, search.baseline.epochs)]
    costs += [(trial.operations, trial.epochs) for trial in finished]
    row = min(verdict.near, key=lambda row: (*costs[row], row))
    name = _called(finished[row - 1], search) if row else f"the settings at {HEAD}"
    return f"{name}, {costs[row][0]:,} operations a picture, {costs[row][1]} epochs."


def _table(
    tried: list[Tried], finished: list[Tried], verdict: Verdict, search: Search
) -> pd.DataFrame:
    """Return one row a trial, the best first, then those that were pruned or failed."""
    near = {finished[row - 1].name for row in verdict.near if row}
    rows = []
    for trial in tried:
        figure = trial.figure(search.classes)
        row = {
            "trial": trial.name,
            "": "within noise of the best" if trial.name in near else trial.state,
            "figure": f"{figure:.4f}" if trial.right is not None else "",
            "epochs run": str(trial.epochs),
        }
        row |= {name: str(value) for name, value in trial.settings.items()}
        rows.append((-figure if trial.right is not None else 1.0, row))
    return pd.DataFrame([row for _, row in sorted(rows, key=lambda pair: pair[0])])


def draw(
    search: Search,
    tried: list[Tried],
    verdict: Verdict,
    importances: dict[str, float],
    headline: Headline,
) -> str:
    """Return the trials in the order in which they were proposed, and the importances, as SVG."""
    numbers = {trial.name: number for number, trial in enumerate(tried)}
    kinds = {
        "finished": [
            (numbers[t.name], t.figure(search.classes)) for t in tried if t.right is not None
        ],
        "pruned, last epoch": [(numbers[t.name], t.last) for t in tried if t.state == "pruned"],
    }
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        trials, bars = figure.subplots(1, 2, width_ratios=[3, 2])
        for (label, points), marker in zip(kinds.items(), "ox", strict=True):
            if points:
                trials.plot(
                    *zip(*points, strict=True), marker, color=COLOURS["validation"], label=label
                )
        level = mean_share(search.before, search.classes).figure
        trials.axhline(level, color=INK, alpha=0.5, linestyle=":", label=f"settings at {HEAD}")
        middle, low, high = verdict.expected
        trials.errorbar(
            len(tried) + 1, middle, yerr=[[middle - low], [high - middle]],
            fmt="D", capsize=3, color=COLOURS["train"], label="best, on new pictures",
        )  # fmt: skip
        trials.set_xlabel("trial")
        trials.set_ylabel(f"validation {headline.words}")
        names = list(importances)[::-1]
        bars.barh(names, [importances[name] for name in names], color=COLOURS["train"])
        bars.set_xlabel("share of the differences")
        if not names:
            bars.axis("off")
        figure.legend(loc="outside upper center", ncols=4)
        return svg(figure)
