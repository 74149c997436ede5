import json

import numpy as np
import pytest

from lookbook.planning.forecast import figures_of
from lookbook.planning.measuring import Measured

PHOTOS = np.array([100, 141, 200, 283, 400])


def measured(scale):
    """Accuracies that rise towards 0.95, from `scale` below it."""
    rng = np.random.default_rng(0)
    found = [
        0.95 - scale * (n / 100) ** -0.5 + 0.002 * rng.standard_normal(16) for n in PHOTOS[:-1]
    ]
    return Measured(PHOTOS, [*found, np.array([0.95 - scale / 2])])


def test_the_figures_say_what_was_measured_and_what_is_expected():
    figures = figures_of(measured(0.2), 500, "it")
    assert [share["photos"] for share in figures["shares"]] == PHOTOS.tolist()
    assert [share["draws"] for share in figures["shares"]] == [16] * 4 + [1]
    assert figures["shares"][-1]["deviation"] is None
    assert figures["shares"][0]["fitted"] == pytest.approx(0.75, abs=0.01)
    ahead = {entry["photos"]: entry for entry in figures["forecast"]}
    assert {400, 800, 1600} <= set(ahead)
    assert ahead[800]["low"] < 0.95 - 0.2 / 8**0.5 < ahead[800]["high"]
    json.dumps(figures, allow_nan=False)


def test_the_sentence_names_the_labels_only_where_more_photos_bring_little():
    much, little = (figures_of(measured(scale), 500, "it") for scale in (0.2, 0.01))
    twice = next(entry for entry in much["forecast"] if entry["photos"] == 800)
    assert much["sentence"] == (
        "Twice as many training photos (800): an accuracy of it between "
        f"{twice['low']:.3f} and {twice['high']:.3f} is expected on the same validation photos, "
        "after 0.850 now."
    )
    assert little["sentence"].endswith("; the labels to check (`lookbook review`) matter more.")
