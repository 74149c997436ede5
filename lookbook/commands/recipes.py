"""Run the programs of the sources by their names, and compare their figures with the published.

    python -m lookbook.commands.recipes                    what there is
    python -m lookbook.commands.recipes sign_cnn           one, or several
    python -m lookbook.commands.recipes all                every one whose data is at hand

Each runs through DVC as an experiment of its own, called like the recipe, and leaves the work tree
as it is: `dvc exp show` lists it, `dvc exp apply NAME` brings it here.
"""

import sys

import pandas as pd

from lookbook.experiments.recipes import choose, load_recipes, run
from lookbook.foundation.errors import explains_errors


@explains_errors
def main() -> None:
    """Run the recipes named on the command line; print the table."""
    recipes = load_recipes()
    if len(sys.argv) == 1:
        print("\n".join(f"{name}: {recipe.params['dataset']}" for name, recipe in recipes.items()))
        return
    rows = [run(chosen) for chosen in choose(sys.argv[1:], recipes)]
    print(f"\n{pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)}\n")


if __name__ == "__main__":
    main()
