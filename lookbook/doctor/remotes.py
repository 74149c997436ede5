"""The remote, which should have what dvc.lock and the sets name."""

from collections.abc import Iterator

from dvc.config import Config

from lookbook.doctor.content import Content
from lookbook.doctor.finding import Finding
from lookbook.doctor.lock import Output


def check_remote(content: Content) -> Iterator[Finding]:
    """Whether the default remote, if there is one, has every file of every output."""
    if not Config.from_cwd()["core"].get("remote"):
        return
    from dvc.repo import Repo  # takes a second

    outputs = [output for output in content.outputs if output.is_cached]
    hashes = {output.path: _hashes(content, output) for output in outputs}
    try:
        with Repo() as repo:
            remote = repo.cloud.get_remote_odb()
            known = set(remote.oids_exist(sorted(set().union(*hashes.values()))))
    except Exception as error:  # the library of each kind of remote has its own
        remedy = "Mend its cause; `dvc remote list` shows its address."
        yield Finding("remote", "the remote", f"cannot be asked ({error})", remedy)
        return
    for output in outputs:
        lost = hashes[output.path] - known
        if output.is_own and output.md5 in lost:
            what = "was never pushed: these photos are here alone"
            yield Finding("unpushed", str(output.path), what, f"Run `dvc push {output.path}.dvc`.")
        elif lost:
            what = f"the remote lacks {len(lost)} of {len(hashes[output.path])} of its files"
            yield Finding("remote", str(output.path), what, "Run `dvc push`.")


def _hashes(content: Content, output: Output) -> set[str]:
    return {output.md5, *content.wanted(output).values()}
