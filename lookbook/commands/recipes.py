"""Run the programs of the sources by name, and compare with the published figures.

    lookbook recipes                    what there is
    lookbook recipes sign_cnn           one, or several
    lookbook recipes all                every one whose data is at hand

Each runs through DVC as an experiment of its own, called like the recipe, and leaves the work tree
as it is: `dvc exp show` lists it, `dvc exp apply NAME` brings it here.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="of recipes.yaml, or all")


def run(arguments: argparse.Namespace) -> None:
    """Run the recipes that are named; print the table."""
    import pandas as pd

    from lookbook.drawing.tables import as_markdown
    from lookbook.experiments.recipes import choose, load_recipes, run

    recipes = load_recipes()
    if not arguments.names:
        print("\n".join(f"{name}: {recipe.params['dataset']}" for name, recipe in recipes.items()))
        return
    rows = [run(chosen) for chosen in choose(arguments.names, recipes)]
    print(f"\n{as_markdown(pd.DataFrame(rows))}\n")
