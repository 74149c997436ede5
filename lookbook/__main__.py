"""The command `lookbook`: what DVC lacks. `python -m lookbook` is the same.

A command is a file of lookbook/commands, found by its name: the first line of its docstring is what
the list says of it, `configure` declares its arguments, `run` does it. None of them is imported
but the one that is called, and that one imports what is heavy only when it runs.
"""

import argparse
import ast
import importlib
import pkgutil
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from lookbook import commands
from lookbook.foundation.arithmetic import settle
from lookbook.foundation.errors import LookbookError, explains_errors

CLONE = Path(__file__).parents[1]


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are sentences like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found as a LookbookError."""
        raise LookbookError(
            f"Expected the arguments that `{self.prog} -h` lists. Received: {message}."
        )


def names() -> list[str]:
    """Return the names of all commands."""
    return [module.name for module in pkgutil.iter_modules(commands.__path__)]


def summary(name: str) -> str:
    """Return the first line of a command's docstring, without importing it."""
    source = Path(commands.__path__[0], f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def overview() -> str:
    """Return what `lookbook --help` shows."""
    known = names()
    width = max(map(len, known))
    lines = [f"  {name:<{width}}  {summary(name)}" for name in known]
    return "\n".join(
        [
            "usage: lookbook COMMAND ...",
            "",
            "What `dvc repro` and its like lack. In a clone's root; page, predict, serve anywhere:",
            "",
            *lines,
            "",
            "`lookbook COMMAND -h` explains one. Exit codes: 0; 1 a verdict; 2 a fault.",
        ]
    )


def chosen(words: list[str]) -> str:
    """Return the command that the command line names.

    Raises:
        LookbookError: If there is none of that name; lists those that there are.
    """
    known = names()
    if words[0] in known:
        return words[0]
    near = get_close_matches(words[0], known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise LookbookError(f"Expected one of {', '.join(known)}. Received: {words[0]!r}.{hint}")


def check_place() -> None:
    """Raise a LookbookError unless one stands in the root of the clone that this code is of."""
    here = Path.cwd()
    roots = (
        folder
        for folder in (here, *here.parents)
        if (folder / "dvc.yaml").is_file() and (folder / "lookbook/__main__.py").is_file()
    )
    root = next(roots, None)
    if root is None:
        raise LookbookError(
            f"Expected to stand in a clone of Lookbook, with its dvc.yaml. Received: {here}. "
            "Change to the clone's root."
        )
    if root != here:
        raise LookbookError(
            f"Expected to stand in the clone's root, {root}. Received: {here}. Change to it."
        )
    if not root.samefile(CLONE):
        raise LookbookError(
            f"Expected the command of the clone that you stand in, {root}. Received: that of "
            f"{CLONE}, whose environment is active. Run `make repro` here and activate .venv, or "
            "run `python -m lookbook` for the code here in that environment."
        )


@explains_errors
def main() -> int | None:
    """Run the command that the command line names; return its exit code."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        return None
    name = chosen(words)
    settle()
    command = importlib.import_module(f"lookbook.commands.{name}")
    parser = Parser(
        prog=f"lookbook {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.configure(parser)
    arguments = parser.parse_intermixed_args(words[1:])  # options between the others, too
    if not getattr(command, "ANYWHERE", False):
        check_place()
    try:
        return command.run(arguments)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "lookbook", "stages"):
            raise
        raise LookbookError(
            f"Expected what `lookbook {name}` needs to be installed. Received: no {package}. Run "
            "`pip install 'lookbook[pipeline]'`, or `make repro` in a clone."
        ) from error


if __name__ == "__main__":
    main()
