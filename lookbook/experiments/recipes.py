"""The programs of the sources by their names, as experiments."""

import json
import logging
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import dvc.api
from pydantic import AfterValidator, Field

from lookbook.datasets.cards import load_card
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import cache_folder, mirror
from lookbook.foundation.schema import Number, Section, read_yaml, validated
from lookbook.ladder.rungs import rung

RECIPES = Path("recipes.yaml")
logger = logging.getLogger("recipes")


def _has_dataset(params: dict) -> dict:
    if not isinstance(params.get("dataset"), str):
        raise ValueError("settings with a dataset")
    return params


class Recipe(Section):
    """One entry of recipes.yaml."""

    stage: str
    published: Number | None = None
    metric: str
    reached: Number | None = None
    params: Annotated[dict, AfterValidator(_has_dataset)]
    stand_in: dict = Field(default_factory=dict)
    differs: str


@dataclass(frozen=True)
class Plan:
    """A recipe as it can be run on this machine.

    Attributes:
        name: Of the recipe.
        recipe: What recipes.yaml says.
        params: Its settings, with those of the stand-in where that is what is at hand.
        stands_in: Whether it is.
    """

    name: str
    recipe: Recipe
    params: dict
    stands_in: bool


def load_recipes(path: Path = RECIPES) -> dict[str, Recipe]:
    """Read recipes.yaml."""
    return {
        name: validated(Recipe, content, path=path, prefix=name)
        for name, content in read_yaml(path).items()
    }


def at_hand(dataset: str) -> bool:
    """Return whether a data set's files are in the cache, in a mirror on this machine, or bundled.

    A mirror at an address is believed to have them.
    """
    card = load_card(dataset)
    if card.source.kind == "bundled":
        return True
    folder = card.source.folder if card.source.kind == "mirror" else dataset
    places = [str(cache_folder(dataset)), *mirror(folder)]
    return all(
        any("://" in place or Path(place, file.name).is_file() for place in places)
        for file in card.files
    )


def plan(name: str, recipe: Recipe) -> Plan:
    """Return what to run: the recipe, or its stand-in where only the stand-in's data is at hand."""
    stands_in = (
        bool(recipe.stand_in)
        and not at_hand(recipe.params["dataset"])
        and at_hand(recipe.stand_in["dataset"])
    )
    params = merged(recipe.params, recipe.stand_in) if stands_in else recipe.params
    return Plan(name, recipe, params, stands_in)


def merged(params: dict, changes: dict) -> dict:
    """Return settings with some of them changed, section by section."""
    result = dict(params)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(params.get(key), dict)
        result[key] = merged(params[key], value) if both else value
    return result


def settings(params: dict, prefix: str = "") -> list[str]:
    """Return settings as DVC's `-S` takes them: `train_cnn.epochs=20`."""
    found = []
    for key, value in params.items():
        if isinstance(value, dict):
            found += settings(value, f"{prefix}{key}.")
        else:
            found.append(f"{prefix}{key}={json.dumps(value)}")
    return found


def run(chosen: Plan) -> dict:
    """Run a plan as a DVC experiment; return its row of the table.

    Raises:
        LookbookError: If the experiment fails; DVC has then said why.
    """
    command = ["dvc", "exp", "run", "--temp", "--name", chosen.name]
    for setting in settings(chosen.params):
        command += ["-S", setting]
    logger.info("%s", " ".join([*command, chosen.recipe.stage]))
    subprocess.run(["dvc", "exp", "remove", "-q", chosen.name], capture_output=True)
    start = time.perf_counter()
    if subprocess.run([*command, chosen.recipe.stage]).returncode:
        raise LookbookError(
            f"Expected the experiment {chosen.name} to succeed. Received: a failure, told above. "
            "Mend its cause and run the command again; finished recipes cost seconds."
        )
    seconds = time.perf_counter() - start
    here = dvc.api.metrics_show(f"metrics/{chosen.recipe.stage}.json", rev=chosen.name)
    published = chosen.recipe.published
    note = f"on {chosen.params['dataset']}; " if chosen.stands_in else ""
    return {
        "recipe": chosen.name,
        "figure": chosen.recipe.metric,
        "published": f"{published:.4f}" if published else "not stated",
        "here": f"{here[chosen.recipe.metric]:.4f}",
        "test": f"{_test_accuracy(chosen):.4f}",
        "seconds": f"{seconds:.0f}",
        "what differs": note + chosen.recipe.differs,
    }


def _test_accuracy(chosen: Plan) -> float:
    """Return the accuracy of an experiment's model on its own test split."""
    from lookbook.ladder.models import load_model, predict
    from lookbook.splits.split import Split
    from lookbook.splits.sums import SUMS

    model = rung(chosen.recipe.stage).file.as_posix()
    with tempfile.TemporaryDirectory() as folder:
        files = dvc.api.DVCFileSystem(rev=chosen.name)
        parts = ("spec.json", SUMS, "test")
        for path in (model, *(f"data/processed/{part}" for part in parts)):
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            files.get(path, str(target), recursive=True)
        test = Split("test", Path(folder, "data/processed"))
        file = Path(folder, model)
        return float((predict(load_model(file), test, file).argmax(axis=1) == test.labels).mean())


def choose(names: list[str], recipes: dict[str, Recipe]) -> list[Plan]:
    """Return what to run for the names on the command line.

    Raises:
        LookbookError: If there is no recipe of a name; lists those that there are.
    """
    unknown = [name for name in names if name not in recipes and name != "all"]
    if unknown:
        raise LookbookError(
            f"Expected recipes out of all, {', '.join(recipes)}. Received: {', '.join(unknown)}. "
            f"{RECIPES} describes them."
        )
    if "all" not in names:
        return [plan(name, recipes[name]) for name in names]
    plans = [plan(name, recipe) for name, recipe in recipes.items()]
    ready = [chosen for chosen in plans if at_hand(chosen.params["dataset"])]
    for chosen in plans:
        if chosen not in ready:
            logger.info(
                "%s: %s is not at hand; `lookbook recipes %s` fetches it",
                chosen.name, chosen.params["dataset"], chosen.name,
            )  # fmt: skip
    if not ready:
        raise LookbookError(
            "Expected the data of at least one recipe to be at hand. Received: none. Name a "
            "recipe, which fetches them, or set LOOKBOOK_MIRROR."
        )
    return ready
