"""How often a model is right about pictures whose classes are known."""

from difflib import get_close_matches
from pathlib import Path

import numpy as np

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.intervals import mean_share
from lookbook.inference.answers import STRANGER, UNSURE, WORDS
from lookbook.inference.classifier import Prediction, percent
from lookbook.pictures.decoding import Fault
from lookbook.predicting.sorting import folder_names

COLUMNS = 20  # classes up to which the whole confusion table is shown
MISTAKES = 10  # the most frequent, where it is not


def class_folders(folder: Path, class_names: list[str]) -> dict[str, str]:
    """Return the class of each folder of a class, by its path.

    Raises:
        LookbookError: If there is none, or one is named as no class of the model.
    """
    if not folder.is_dir():
        raise LookbookError(
            f"Expected a folder with one folder a class for --score. Received: {folder}. "
            "Sort the pictures into folders that are named as their classes."
        )
    classes = {name: name for name in class_names}
    for answer, name in folder_names(class_names).items():
        if answer in classes:
            classes.setdefault(name, answer)
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    found = [path for path in inside if path.is_dir()]
    unknown = [path.name for path in found if path.name not in classes]
    if unknown or not found:
        raise LookbookError(
            f"Expected folders in {folder} that are named as classes of the model: "
            f"{', '.join(class_names)}. Received: {', '.join(unknown) or 'none'}."
            f"{_hints(unknown, list(classes))} Rename them."
        )
    return {str(path): classes[path.name] for path in found}


def _hints(unknown: list[str], known: list[str]) -> str:
    near = [(name, get_close_matches(name, known, n=1)) for name in unknown]
    return "".join(f" Is {name} {match[0]}?" for name, match in near if match)


class Score:
    """Counts what the model says against the true classes."""

    def __init__(self, class_names: list[str]):
        self.class_names = class_names
        self.places = {name: place for place, name in enumerate(class_names)}
        self.confusion = np.zeros((len(class_names),) * 2, int)
        self.answers: dict[str, int] = dict.fromkeys(WORDS.values(), 0)

    def take(self, truth: str, said: Prediction | Fault) -> None:
        """Count one picture; one that could not be read counts for nothing."""
        if isinstance(said, Prediction):
            self.confusion[self.places[truth], self.places[said.likeliest]] += 1
            if said.answer in self.answers:
                self.answers[said.answer] += 1

    def lines(self) -> list[str]:
        """Return what is printed."""
        count = int(self.confusion.sum())
        if not count:
            return ["accuracy: none of the pictures could be read"]
        right = np.repeat([1.0, 0.0], [np.trace(self.confusion), count - np.trace(self.confusion)])
        figure, low, high = (100 * value for value in mean_share(right))
        return [
            f"accuracy: {figure:.1f} % of {count:,} pictures (95 % interval: {low:.1f} to "
            f"{high:.1f} %), where each gets its likeliest class, sure or not",
            *(
                f"{WORDS[answer]}: {self.answers[WORDS[answer]]:,} "
                f"({percent(self.answers[WORDS[answer]] / count)})"
                for answer in (UNSURE, STRANGER)
            ),
            *(self._table() if len(self.class_names) <= COLUMNS else self._mistakes()),
        ]

    def _table(self) -> list[str]:
        numbers = [str(place + 1) for place in range(len(self.class_names))]
        width = max(map(len, [*map(str, self.confusion.ravel().tolist()), *numbers])) + 1
        titles = [f"{place + 1} {name}" for place, name in enumerate(self.class_names)]
        longest = max(map(len, titles))
        heads = "".join(number.rjust(width) for number in numbers)
        rows = [
            title.ljust(longest) + "".join(str(count).rjust(width) for count in counts)
            for title, counts in zip(titles, self.confusion.tolist(), strict=True)
        ]
        return ["rows: true classes; columns: likeliest classes", " " * longest + heads, *rows]

    def _mistakes(self) -> list[str]:
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        order = np.argsort(-wrong, axis=None, kind="stable")[:MISTAKES]
        pairs = [(int(at) // len(wrong), int(at) % len(wrong)) for at in order]
        return [
            "most frequent mistakes:",
            *(
                f"  {self.class_names[true]} as {self.class_names[other]}: {wrong[true, other]:,}"
                for true, other in pairs
                if wrong[true, other]
            ),
        ]
