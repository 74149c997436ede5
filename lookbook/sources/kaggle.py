"""Data sets of kaggle.com, through Kaggle's own client.

The client is imported only here and only when needed: it looks for credentials, prints, and may
contact the network or end the process as soon as it is imported. Whatever it says is kept from the
logs, since it might hold a credential.
"""

import contextlib
import io
import logging
import shutil
import tempfile
import threading
from concurrent.futures import Future, wait
from pathlib import Path

import requests

from lookbook.datasets.cards import Card, KaggleSource, PublishedFile
from lookbook.foundation.downloading import GivenUpError, Pace
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import cache_folder, mirror
from lookbook.sources.hashes import fault_of
from lookbook.sources.http import fetch_file

POLL = 1  # seconds between two looks at what has arrived

logger = logging.getLogger(__name__)


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Copy the card's zip file into `folder`, from the cache, the mirror or Kaggle."""
    assert isinstance(card.source, KaggleSource)
    for file in card.files:
        path = _fetch_file(file, dataset, card.source.dataset)
        shutil.copyfile(path, folder / file.name)


def _fetch_file(file: PublishedFile, dataset: str, kaggle_name: str) -> Path:
    cache = cache_folder(dataset)
    path = cache / file.name
    if path.is_file() and not fault_of(path, file):
        return path
    origins = mirror(dataset)
    if origins:
        try:
            return fetch_file(file, origins, cache)
        except LookbookError as error:
            logger.warning("not in the mirror: %s", error)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as partial:
        received = _download(kaggle_name, Path(partial), file.bytes)
        received = received or fault_of(Path(partial, file.name), file)
        if received:
            raise LookbookError(
                f"Expected {file} from Kaggle's data set {kaggle_name}. Received: {received}. "
                f"{_remedy(dataset, file)}"
            )
        Path(partial, file.name).replace(path)
    return path


def _download(kaggle_name: str, folder: Path, most_bytes: int | None) -> str | None:
    """Let Kaggle's client put `<slug>.zip` into `folder`; return what went wrong, if anything.

    The client waits for ever and takes whatever comes. It is watched from outside, and left behind
    in its thread, which ends with the process, where it is to be given up.
    """
    quiet, pace = io.StringIO(), Pace(most_bytes)
    outcome: Future[str | None] = Future()
    thread = threading.Thread(target=_ask, args=(kaggle_name, folder, outcome), daemon=True)
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        thread.start()
        while not wait([outcome], timeout=POLL).done:
            try:
                pace.note(_arrived(folder))
            except GivenUpError as error:
                return str(error)
    return outcome.result()


def _ask(kaggle_name: str, folder: Path, outcome: "Future[str | None]") -> None:
    try:
        import kaggle

        # Without credentials the request is anonymous, which public data sets may answer.
        kaggle.api.dataset_download_files(kaggle_name, path=str(folder), quiet=True)
        outcome.set_result(None)
    except requests.HTTPError as error:
        outcome.set_result(f"HTTP status {error.response.status_code}")
    except (requests.RequestException, ConnectionError, TimeoutError, ValueError) as error:
        outcome.set_result(f"no connection, or it broke off ({type(error).__name__})")
    except OSError as error:  # a full disk is told as such
        outcome.set_exception(error)
    except (Exception, SystemExit) as error:  # the client raises and exits as it likes
        outcome.set_result(f"{type(error).__name__} in Kaggle's client")


def _arrived(folder: Path) -> int:
    """Return how many bytes are in a folder whose files come and go."""
    count = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += path.stat().st_size
    return count


def _remedy(dataset: str, file: PublishedFile) -> str:
    return (
        "Give credentials in one of three ways: the variable KAGGLE_API_TOKEN (or the file "
        "~/.kaggle/access_token); the variables KAGGLE_USERNAME and KAGGLE_KEY; the file "
        "~/.kaggle/kaggle.json. Or download the file with a browser and put it into the mirror, "
        f"as {dataset}/{file.name} below the folder that LOOKBOOK_MIRROR names."
    )
