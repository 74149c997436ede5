"""What a user can mend is told in a sentence: what was expected, what was received, what to do."""

import functools
import logging
import sys
from collections.abc import Callable


class LookbookError(Exception):
    """A mistake that the user can mend; its message is shown as it is, without a traceback."""


def explains_errors(main: Callable[[], None], *, code: int = 1) -> Callable[[], None]:
    """Decorate a `main`: log to stderr, and turn errors into one sentence and an exit code.

    Only `LookbookError` and what the operating system reports (a full disk, a file that may not
    be read) are caught. Anything else is a defect of Lookbook and keeps its traceback.
    """

    @functools.wraps(main)
    def run() -> None:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)
        try:
            main()
            return
        except LookbookError as error:
            sentence = str(error)
        except OSError as error:
            sentence = (
                "Expected to be able to read and write the pipeline's files. "
                f"Received: {error}. Free disk space or mend the permissions, then run the "
                "command again; nothing half-written was kept."
            )
        print(f"error: {sentence}", file=sys.stderr)
        sys.exit(code)

    return run
