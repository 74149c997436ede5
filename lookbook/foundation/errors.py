"""What a user can mend is told in a sentence: what was expected, what was received, what to do."""

import errno
import functools
import logging
import sys
from collections.abc import Callable

from lookbook.foundation.names import in_terminal

REMEDIES = {
    errno.ENOSPC: "Free disk space",
    errno.EDQUOT: "Free disk space, or ask for a larger quota",
    errno.EACCES: "Mend the permissions",
    errno.EPERM: "Mend the permissions",
    errno.EROFS: "Mount it to be written",
    errno.ENOENT: "Bring the file back (`git checkout`, `dvc checkout`)",
    errno.EMFILE: "Allow more open files (`ulimit -n`)",
}

VERDICT, FAULT, INTERRUPTED = 1, 2, 130  # exit codes, beside 0


class LookbookError(Exception):
    """A mistake that the user can mend; its message is shown as it is, without a traceback."""


def explains_errors(main: Callable[[], int | None]) -> Callable[[], None]:
    """Decorate a `main`: log to stderr, turn errors into a sentence, and end with an exit code.

    The code is what `main` returns (None is 0), `FAULT` for an error, `INTERRUPTED` for Ctrl-C.

    Only `LookbookError` and what the operating system reports (a full disk, a file that may not
    be read) are caught. Anything else is a defect of Lookbook and keeps its traceback.
    """

    @functools.wraps(main)
    def run() -> None:
        _log_to_stderr()
        try:
            code = main()
        except LookbookError as error:
            code = _said(f"error: {error}", FAULT)
        except KeyboardInterrupt:
            code = _said("interrupted; nothing half-written was kept", INTERRUPTED)
        except BrokenPipeError:  # whoever read what is printed here has read enough
            code = 0
        except OSError as error:
            remedy = REMEDIES.get(error.errno or 0, "Mend its cause")
            code = _said(
                "error: Expected to be able to read and write the pipeline's files. "
                f"Received: {error}. {remedy}, then run the command again; nothing half-written "
                "was kept.",
                FAULT,
            )
        if code:
            sys.exit(code)

    return run


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return in_terminal(super().format(record))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _said(sentence: str, code: int) -> int:
    print(in_terminal(sentence), file=sys.stderr)
    return code
