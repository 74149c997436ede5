"""Files as they were at another Git revision, those that DVC keeps included."""

import dvc.api
from dvc.config import Config
from dvc.exceptions import DvcException
from dvc_data.index import DataIndexDirError
from scmrepo.exceptions import SCMError

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.git import kind_of
from lookbook.foundation.lock_file import outputs


class Revision:
    """A revision of this repository, read from Git, DVC's cache or a remote.

    Attributes:
        name: As the user calls it.
        commit: Its hash.
    """

    def __init__(self, name: str):
        """Find the revision.

        Raises:
            LookbookError: If it does not exist, or this is no repository of Git and DVC.
        """
        self.name = name
        if kind_of(name) in ("blob", "tree"):
            raise LookbookError(
                f"Expected a Git revision (branch, tag, commit). Received: {name!r}, a file or a "
                "folder of one. Name the revision alone."
            )
        try:
            here = Config.from_cwd()  # a remote may be younger than the revision
            remotes = {key: here[key] for key in ("core", "remote")}
            self._files = dvc.api.DVCFileSystem(rev=name, config=remotes)
            self.commit = self._files.repo.get_rev()  # only now is the revision looked up
        except (DvcException, SCMError) as error:
            raise LookbookError(
                f"Expected a Git revision (branch, tag, commit). Received: {error}. `git branch "
                "--all` lists branches; `git fetch` brings those of a remote."
            ) from None

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None if the revision has none, or it is not at hand."""
        try:
            return self._files.read_bytes(path)
        except (OSError, DataIndexDirError):
            return None

    def files(self, folder: str) -> dict[str, bytes] | None:
        """Return each file's content in a folder, by path; None unless all of it is at hand."""
        try:
            paths = sorted(self._files.ls(folder, detail=False))
            return {path: self._files.read_bytes(path) for path in paths}
        except (OSError, DataIndexDirError):
            return None

    def outputs(self) -> dict[str, str]:
        """Return the hash of each output of the pipeline, as dvc.lock has it."""
        return outputs(self.read("dvc.lock") or b"")
