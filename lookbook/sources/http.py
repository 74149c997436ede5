"""Files from web addresses, kept in a cache of the user so that each is fetched once a machine."""

import logging
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests

from lookbook.datasets.cards import Card, HttpSource, PublishedFile
from lookbook.foundation.downloading import download
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import cache_folder, mirror
from lookbook.sources.hashes import fault_of

logger = logging.getLogger(__name__)

ROUNDS = 2  # a round tries every origin once
PAUSE = 2  # seconds between rounds, for a server that was busy


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Copy the card's files into `folder`, from the cache, the mirror or the card's origins.

    The environment variable `LOOKBOOK_CACHE` moves the cache; `LOOKBOOK_MIRROR` names a folder or
    an http(s) address that is tried first, as `<mirror>/<dataset>/<file name>`.
    """
    assert isinstance(card.source, HttpSource)
    for file in card.files:
        origins = [*mirror(dataset), *card.source.origins]
        path = fetch_file(file, origins, cache_folder(dataset))
        shutil.copyfile(path, folder / file.name)


def fetch_file(file: PublishedFile, origins: list[str], cache: Path) -> Path:
    """Return the path of a verified copy of `file` in `cache`, fetched if it is not there yet.

    A file with the wrong hash is never left under the good name. An origin that is out of reach or
    breaks off is tried once more after the others; one that says no (404) or serves something else
    is not.

    Args:
        file: Name and SHA-256.
        origins: Folders or http(s) addresses that may hold the file, best first.
        cache: The folder for it; created if needed.

    Raises:
        LookbookError: If no origin has the file; says what each of them answered.
    """
    answers = {}
    for attempt in range(ROUNDS):
        if attempt:
            time.sleep(PAUSE)
        for origin in list(origins):
            try:
                return _fetch_from(origin, file, cache)
            except (requests.RequestException, ValueError, FileNotFoundError) as error:
                answers[_shown(origin)] = _reason(error)
                logger.warning("%s: %s: %s", file.name, _shown(origin), _reason(error))
                if not _may_pass(error):
                    origins = [other for other in origins if other != origin]
        if not origins:
            break
    raise LookbookError(
        f"Expected {file} from one of {len(answers)} origins. Received: "
        + "; ".join(f"{origin}: {answer}" for origin, answer in answers.items())
        + ". Connect to the network, or set LOOKBOOK_MIRROR to a folder or address that holds "
        f"{cache.name}/{file.name}."
    )


def _fetch_from(origin: str, file: PublishedFile, cache: Path) -> Path:
    pooch.get_logger().setLevel(logging.WARNING)  # its notes would show secrets in an address
    is_address = origin.startswith(("http://", "https://"))

    def fetch_bounded(address: str, target: str, _pooch: object) -> None:
        download(address, Path(target), file.bytes)

    path = pooch.retrieve(
        f"{origin}/{file.name}",
        known_hash=f"sha256:{file.sha256}" if file.sha256 else None,
        fname=file.name,
        path=cache,
        downloader=fetch_bounded if is_address else _copy,
    )
    if not file.sha256:  # then pooch has compared nothing
        fault = fault_of(Path(path), file)
        if fault:
            Path(path).unlink()
            raise ValueError(fault)
    return Path(path)


def _copy(path: str, target: str, _pooch: object) -> None:
    shutil.copyfile(path, target)


def _shown(origin: str) -> str:
    """Return the origin without a user name, a password or what follows a question mark."""
    try:
        address = urlsplit(origin)
    except ValueError:
        return "an address that is none"
    plain = address._replace(netloc=address.netloc.rpartition("@")[2], query="", fragment="")
    return plain.geturl()


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.RequestException):
        return f"no connection, or it broke off ({type(error).__name__})"
    return "no such file" if isinstance(error, FileNotFoundError) else str(error)


def _may_pass(error: Exception) -> bool:
    """Whether the same request may succeed later: busy servers and cut connections."""
    if isinstance(error, requests.HTTPError):
        return error.response.status_code >= 500 or error.response.status_code == 429
    return isinstance(error, requests.RequestException)
