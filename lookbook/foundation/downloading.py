"""One download of a file, within bounds: a server that hardly sends, or never ends, is given up."""

import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

CONNECT, SILENCE = 30, 30  # seconds for an answer, and without a byte
WINDOW, LEAST_RATE = 60.0, 1024  # seconds, and the fewest bytes a second over so many
MOST_SECONDS = 12 * 3600.0
MOST_BYTES = 2**37  # of a file whose size nobody has told
CHUNK = 2**16
IDENTITY = {"Accept-Encoding": "identity"}  # the archive as it is, not unpacked on the way


class GivenUpError(ValueError):
    """A server that is too slow, or sends more than it should."""


def download(address: str, target: Path, most_bytes: int | None = None) -> None:
    """Write what an http(s) address sends to a file.

    Args:
        address: Where from.
        target: The file; half of it stays after an error.
        most_bytes: No more is taken.

    Raises:
        requests.RequestException: If there is no answer, or a bad one, or it breaks off.
        GivenUpError: If it is too slow, or too much.
    """
    most = most_bytes or MOST_BYTES
    with requests.get(
        address, headers=IDENTITY, stream=True, timeout=(CONNECT, SILENCE)
    ) as response:
        response.raise_for_status()
        promised = int(response.headers.get("Content-Length") or 0)
        _check_size(promised, most)
        bar = tqdm(total=promised or None, unit="B", unit_scale=True, disable=None, leave=False)
        with target.open("wb") as file, bar:
            _copy(response, file, bar, most)
            if file.tell() < promised:
                raise requests.ConnectionError(f"{file.tell():,} of {promised:,} bytes")


class Pace:
    """How much has arrived when."""

    def __init__(self, most_bytes: int | None = None):
        """Begin now; no more than `most_bytes` may come."""
        self._most = most_bytes or MOST_BYTES
        self._start = time.monotonic()
        self._marks = deque([(self._start, 0)])  # one a second, of the last window

    def note(self, arrived: int) -> None:
        """Take down how many bytes have arrived by now.

        Raises:
            GivenUpError: If that is too much, too slow, or goes on for too long.
        """
        now = time.monotonic()
        _check_size(arrived, self._most)
        if now - self._start > MOST_SECONDS:
            raise GivenUpError(f"no end after {MOST_SECONDS / 3600:.0f} hours")
        if now - self._marks[-1][0] >= WINDOW / 60:
            self._marks.append((now, arrived))
        while now - self._marks[0][0] > WINDOW:
            since, before = self._marks.popleft()
            if arrived - before < LEAST_RATE * (now - since):
                raise GivenUpError(f"under {LEAST_RATE:,} bytes a second")


def _copy(response: requests.Response, file: BinaryIO, bar: tqdm, most: int) -> None:
    pace = Pace(most)
    while block := _read(response):
        file.write(block)
        bar.update(len(block))
        pace.note(file.tell())


def _read(response: requests.Response) -> bytes:
    """Return what has arrived, at least a byte; nothing at the end."""
    try:
        return response.raw.read1(CHUNK)
    except (HTTPError, OSError) as error:  # of urllib3 and of the socket
        raise requests.ConnectionError(str(error)) from None


def _check_size(count: int, most: int) -> None:
    if count > most:
        raise GivenUpError(f"{count:,} bytes and more, over {most:,}")
