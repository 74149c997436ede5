import json
import threading
import xml.dom.minidom
from pathlib import Path

import numpy as np
import pytest

from lookbook.experiments.search import FAILURES, STARTING, Search, held, identity
from lookbook.experiments.search_report import told, what_it_takes, write_report
from lookbook.experiments.space import Choices, Parameter, Range, Space
from lookbook.experiments.trials import Outcome
from lookbook.foundation.errors import LookbookError
from lookbook.splits.headline import Headline

PICTURES, EPOCHS = 203, 6
SPACE = Space(
    "train_ann",
    (
        Parameter("learning_rate", Range(low=1e-4, high=1e-1, log=True)),
        Parameter("epochs", Range(low=1, high=9), is_whole=True),
        Parameter("hidden", Choices(choices=[[8], [16, 8]])),
    ),
)


def outcome(accuracy, epochs=EPOCHS):
    """What comes of a model that has so many of the pictures right, which ones by its accuracy."""
    rng = np.random.default_rng(round(1e6 * accuracy))
    return Outcome(epochs, 1.0, right=rng.random(PICTURES) < accuracy, operations=100)


class Place:
    """Trials that are over at once: the nearer the rate is to 0.01, the better."""

    def __init__(self, ends_after=None, fails=()):
        self.tried, self.ends_after, self.fails = {}, ends_after, fails

    def try_out(self, name, settings, watch):
        if self.ends_after is not None and len(self.tried) == self.ends_after:
            raise KeyboardInterrupt
        chosen = self.tried[name] = settings["train_ann"]
        accuracy = 0.9 - 0.1 * abs(np.log10(chosen["learning_rate"]) + 2)
        if name[-3:] in self.fails:
            return Outcome(1, 1.0, failure="Expected a finite loss. Received: NaN")
        for epoch in range(1, EPOCHS + 1):
            if not watch(epoch, accuracy - 0.1 / epoch):
                return Outcome(epoch, 1.0)
            if self.ends_after == epoch + 100:
                raise KeyboardInterrupt
        return outcome(accuracy)


@pytest.fixture
def search(tmp_path):
    """A function that opens the search in a folder."""

    def open_search(name="first", seed=1, **options):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return Search("ann", folder, SPACE, seed=seed, baseline=outcome(0.8), **options)

    return open_search


def go(search, places, trials=20):
    lines = []
    search.run(trials, places, lines.append, threading.Event())
    return lines


def said(tried):
    return [(t.name, t.state, t.settings, t.epochs, t.figure(None)) for t in tried]


def test_what_is_tried_is_within_the_space_and_the_good_are_found(search):
    place = Place()
    lines = go(search(), [place], 40)
    assert [line.name for line in lines] == [f"ann-{number:03}" for number in range(40)]
    for chosen in place.tried.values():
        assert 1e-4 <= chosen["learning_rate"] <= 1e-1
        assert float(f"{chosen['learning_rate']:.6g}") == chosen["learning_rate"]
        assert chosen["epochs"] in range(1, 10)
        assert isinstance(chosen["epochs"], int)
        assert chosen["hidden"] in ([8], [16, 8])
    distances = [abs(np.log10(c["learning_rate"]) + 2) for c in place.tried.values()]
    assert np.mean(distances[STARTING:]) < np.mean(distances[:STARTING])
    importances = search().importances()
    assert next(iter(importances)) == "learning_rate"
    assert sum(importances.values()) == pytest.approx(1)


def test_poor_curves_end_a_trial_but_not_in_the_warm_up(search):
    tried = go(search(), [Place()], 25)
    pruned = [trial for trial in tried if trial.state == "pruned"]
    assert pruned
    assert all(EPOCHS > trial.epochs >= EPOCHS / 3 for trial in pruned)
    assert all(trial.right is None for trial in pruned)
    finished = [trial.last for trial in tried if trial.state == "finished"]
    assert max(trial.last for trial in pruned) < np.median(finished)


def test_with_one_place_a_seed_gives_the_same_trials_wherever_it_was_stopped(search, tmp_path):
    go(search(), [Place()])
    whole = said(search().tried())
    for stop in (0, 3, 12):
        name = f"stopped-{stop}"
        with pytest.raises(KeyboardInterrupt):
            go(search(name), [Place(ends_after=stop)])
        assert len(search(name).tried()) == stop
        journal = tmp_path / name / "journal.log"
        journal.write_bytes(journal.read_bytes() + b'{"op_code":6,"wor')  # a write that was killed
        Path(f"{journal}.lock").symlink_to(journal)
        go(search(name), [Place()])
        assert said(search(name).tried()) == whole
    go(search("other", seed=2), [Place()])
    assert said(search("other", seed=2).tried()) != whole


def test_a_kill_at_any_line_of_the_journal_changes_nothing(search, tmp_path):
    go(search(), [Place()], 13)
    whole = said(search().tried())
    lines = (tmp_path / "first/journal.log").read_bytes().splitlines(keepends=True)
    for count in range(0, len(lines), 7):
        folder = tmp_path / f"cut-{count}"
        folder.mkdir()
        (folder / "journal.log").write_bytes(b"".join(lines[:count]))
        go(search(folder.name), [Place()], 13)
        assert said(search(folder.name).tried()) == whole


def test_more_trials_go_on_from_those_that_there_are(search):
    go(search(), [Place()], 8)
    assert go(search(), [Place()], 8) == []
    first = said(search().tried())
    assert len(go(search(), [Place()], 12)) == 4
    assert said(search().tried())[:8] == first


def test_several_places_share_the_trials(search):
    places = [Place(), Place(), Place()]
    go(search(), places, 20)
    names = sorted(name for place in places for name in place.tried)
    assert names == [f"ann-{number:03}" for number in range(20)]
    assert search().workers == 3


def test_a_failure_is_told_and_several_in_a_row_end_the_search(search):
    lines = go(search(), [Place(fails={"001"})], 4)
    assert [line.state for line in lines] == ["finished", "failed", "finished", "finished"]
    assert "Received: NaN" in told(lines[1], 4, None)
    every = {f"{number:03}" for number in range(20)}
    with pytest.raises(LookbookError, match=f"{FAILURES} failures in a row; the last: .*NaN"):
        go(search("bad"), [Place(fails=every)])
    assert len(search("bad").tried()) == FAILURES


def test_what_fails_in_one_place_ends_the_others(search):
    class Slow(Place):
        def try_out(self, name, settings, watch):
            assert ended.wait(60)
            return Outcome(0, 1.0, failure="ended")

    ended = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        search().run(9, [Slow(), Place(ends_after=2)], lambda trial: None, ended)
    assert len(search().tried()) == 2


@pytest.mark.parametrize("words", ["accuracy", "balanced_accuracy"])
def test_the_report_says_what_may_be_said(search, tmp_path, words):
    classes = None if words == "accuracy" else np.arange(PICTURES) % 3
    tried = search(classes=classes)
    go(tried, [Place(fails={"003"})], 40)
    text = write_report(tmp_path, tried, Headline(words))
    report = (tmp_path / "report.md").read_text()
    assert report.startswith(text)
    best = max((t for t in tried.tried() if t.right is not None), key=lambda t: t.figure(classes))
    assert f"The best: {best.name} (train_ann.learning_rate=" in text
    assert f"{words.replace('_', ' ')} of {best.figure(classes):.4f}." in text
    assert "1 failed" in text
    assert f"`dvc exp apply {best.name}`" in text
    assert "From the same seed the same trials come again." in text
    rows = [line for line in report.splitlines() if line.startswith("| ann-")]
    assert len(rows) == 40
    assert rows[0].startswith(f"| {best.name} ")
    picture = (tmp_path / "report.svg").read_text()
    xml.dom.minidom.parseString(picture)
    assert "share of the differences" in picture
    write_report(tmp_path, search(classes=classes), Headline(words))
    assert (tmp_path / "report.md").read_text() == report
    assert (tmp_path / "report.svg").read_text() == picture


def test_the_report_owns_up_where_nothing_is_better_or_it_is_not_repeatable(search, tmp_path):
    class Poor(Place):
        def try_out(self, name, settings, watch):
            return outcome(0.3)

    tried = search()
    go(tried, [Poor(), Poor()], 3)
    text = write_report(tmp_path, tried, Headline())
    assert "The best: the settings at HEAD, with" in text
    assert "so keep the settings at HEAD" in text
    assert "dvc exp apply" not in text
    assert "Not repeatable: 2 workers" in text
    assert "Within noise of the best: 1 of 4." in text


@pytest.mark.parametrize(
    ("workers", "seconds", "said"),
    [
        (1, 56.0, "30 trials of train_cnn to come, 1 at a time, 56 s each if as the last"),
        (1, 56.0, ": 30 min. Pruning"),
        (2, 56.0, ": 15 min if 2 at a time are as fast as one, 30 min if they are no"),
        (1, None, "How long one takes is not known, since train_cnn was never trained"),
    ],
)
def test_it_says_what_it_will_take(workers, seconds, said):
    assert said in what_it_takes("train_cnn", 30, workers, seconds)


def test_two_at_once_have_a_sentence(tmp_path):
    with (
        held(tmp_path),
        pytest.raises(LookbookError, match="Received: one that works"),
        held(tmp_path),
    ):
        pass
    with held(tmp_path):
        pass


def test_a_search_is_another_with_another_space_or_seed_or_commit():
    names = {identity("abc", SPACE, 0), identity("abc", SPACE, 1), identity("abd", SPACE, 0)}
    names.add(identity("abc", Space("train_ann", SPACE.parameters[:2]), 0))
    assert len(names) == 4
    assert identity("abc", SPACE, 0) in names


def test_the_journal_is_lines_of_json(search, tmp_path):
    go(search(), [Place()], 2)
    for line in (tmp_path / "first/journal.log").read_text().splitlines():
        json.loads(line)
