"""Open the page on the last run in a browser.

    lookbook report

The page is metrics/report.html, which `dvc repro` writes.
"""

import argparse
from pathlib import Path

from lookbook.foundation.errors import LookbookError

PAGE = Path("metrics/report.html")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: there is one page."""


def run(arguments: argparse.Namespace) -> None:
    """Open it; where there is no browser, say where it is."""
    import webbrowser

    if not PAGE.is_file():
        raise LookbookError(
            f"Expected the page on a run, {PAGE}. Received: no such file. Run `dvc repro`, or `dvc "
            "checkout` to bring it back."
        )
    opened = webbrowser.open(PAGE.absolute().as_uri())
    print(f"{PAGE}: {'in your browser' if opened else 'open it in a browser'}")
