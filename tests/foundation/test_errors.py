"""What a user reads when the system says no, and how a command ends."""

import errno
import os

import pytest

from lookbook.foundation.errors import FAULT, INTERRUPTED, VERDICT, LookbookError, explains_errors


def ended(error, capsys):
    """The exit code and the words of a main that raises or returns something."""

    @explains_errors
    def main():
        if isinstance(error, BaseException):
            raise error
        return error

    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Free disk space"),
        (errno.EACCES, "Mend the permissions"),
        (errno.EROFS, "Mount it to be written"),
        (errno.ENOENT, "Bring the file back (`git checkout`, `dvc checkout`)"),
        (errno.EMFILE, "Allow more open files (`ulimit -n`)"),
        (errno.EIO, "Mend its cause"),
    ],
)
def test_each_fault_of_the_system_has_its_own_remedy(capsys, number, remedy):
    code, said = ended(OSError(number, os.strerror(number), "x.csv"), capsys)
    assert code == 2
    assert f"{os.strerror(number)}: 'x.csv'. {remedy}, then run the command again" in said
    assert ("Free disk space" in said) == (number == errno.ENOSPC)


def test_a_closed_pipe_is_no_fault(capsys):
    assert ended(BrokenPipeError(), capsys) == (0, "")


def test_a_fault_a_verdict_and_an_interruption_are_told_apart(capsys):
    assert (VERDICT, FAULT, INTERRUPTED) == (1, 2, 130)
    assert ended(VERDICT, capsys) == (1, "")
    assert ended(None, capsys) == (0, "")
    assert ended(LookbookError("Expected x."), capsys) == (2, "error: Expected x.\n")
    code, said = ended(KeyboardInterrupt(), capsys)
    assert (code, said) == (130, "interrupted; nothing half-written was kept\n")
