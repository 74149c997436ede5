"""What dvc.lock says: which content every output of the pipeline has."""

import os
from pathlib import Path

from lookbook.foundation import bounded_yaml
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import md5_of
from lookbook.foundation.processes import STAGE

LOCK = Path("dvc.lock")


def outputs(lock: bytes) -> dict[str, str]:
    """Return the hash of each output that a dvc.lock records.

    Raises:
        LookbookError: If it is none, as one that was cut off or has conflict markers.
    """
    try:
        stages = (bounded_yaml.load(lock.decode()) or {}).get("stages", {})
        outs = [out for stage in stages.values() for out in stage.get("outs", [])]
        return {out["path"]: out["md5"] for out in outs}
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise LookbookError(
            f"Expected a whole {LOCK}. Received: {error}. Run `lookbook doctor --repair`, then "
            "`dvc repro`."
        ) from None


def check_locked(path: Path) -> None:
    """Check that a file is the one that dvc.lock names, where DVC runs this process.

    DVC looks at size and time alone, and hands on a file that was damaged or replaced behind them.

    Raises:
        LookbookError: If it is another.
    """
    if STAGE not in os.environ or not LOCK.is_file() or not path.is_file():
        return
    expected = outputs(LOCK.read_bytes()).get(path.as_posix())
    received = md5_of(path)
    if expected not in (None, received):
        raise LookbookError(
            f"Expected {path} to be the file that {LOCK} names, with the MD5 {expected}. Received: "
            f"{received}. Run `lookbook doctor --repair` to bring it back."
        )
