"""Every file that DVC keeps against its hash: in its cache, and in the tree."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pathspec
from dvc.config import Config

from lookbook.datasets.packs import LIST
from lookbook.doctor.finding import BY_DOCTOR, Finding, put_aside
from lookbook.doctor.lock import Output, of_git
from lookbook.doctor.sets import fault_of_list
from lookbook.foundation.files import md5_of, remove, replacing
from lookbook.foundation.parallel import in_parallel

IGNORED = Path(".dvcignore")
OBJECTS = Path("files/md5")  # below the cache's folder
OBJECT = re.compile(r"[0-9a-f]{32}(\.dir)?")
PROTECTED = 0o444  # what DVC makes cached files, and trusts


class Content:
    """What DVC keeps, hashed once.

    Attributes:
        cache: The folder of the cached files.
        outputs: What the pipeline leaves, and people's own sets.
        objects: The hash of each cached file, by the name that it has for its hash.
        files: The hash of each file in the tree that belongs to an output.
    """

    def __init__(self, cache: Path, outputs: list[Output]):
        """Hash everything.

        Args:
            cache: DVC's folder.
            outputs: What should be there.
        """
        self.cache = cache / OBJECTS
        self.outputs = outputs
        found = {path.parent.name + path.name: path for path in self.cache.glob("??/*")}
        kept = {name: path for name, path in sorted(found.items()) if OBJECT.fullmatch(name)}
        self._below = {output.path: _files(output.path) for output in outputs}
        there = sorted(set().union(*self._below.values()))
        hashes = in_parallel(_hash, [*kept.values(), *there])
        self.objects = dict(zip(kept, hashes, strict=False))
        self.files = dict(zip(there, hashes, strict=True))

    def check_cache(self) -> Iterator[Finding]:
        """Cached files that are not what their names say."""
        used = {md5: path for output in self.outputs for path, md5 in self.wanted(output).items()}
        used |= {output.md5: output.path for output in self.outputs}
        for name, found in list(self.objects.items()):
            if found != name.removesuffix(".dir"):
                path = self.path_of(name)
                whose = f" ({used[name]})" if name in used else ""
                mend = partial(self._mend_object, name)
                yield Finding("cache", str(path), _said(path, found) + whose, mend=mend)

    def check_missing(self) -> Iterator[Finding]:
        """What is in the tree as it should be, and lacks in the cache."""
        for output in self.outputs:
            if not output.is_cached or not output.path.exists():
                continue
            lost = {
                path: md5
                for path, md5 in self.wanted(output).items()
                if md5 not in self.objects and self.files.get(path) == md5
            }
            if output.is_folder and output.md5 not in self.objects and self.wanted(output):
                lost[output.path] = output.md5
            if lost:
                more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
                what = f"DVC's cache lacks {', '.join(map(str, list(lost)[:3]))}{more}"
                remedy = f"{BY_DOCTOR}, or `dvc commit {output.path}`."
                mend = partial(self._keep, output, lost)
                yield Finding("cache-missing", str(output.path), what, remedy, mend)

    def check_tree(self) -> Iterator[Finding]:
        """Files in the tree that are not what dvc.lock, or a `.dvc` file, names."""
        for output in self.outputs:
            if not output.path.exists():  # of a fresh clone, or still to be made
                continue
            wanted = self.wanted(output)
            if output.is_folder and not wanted:
                yield self._of_tree(output, output.path, None, "is not what DVC has the hash of")
                continue
            if output.is_own and self._is_unfinished(output.path, wanted):
                yield _unfinished(output.path)
                continue
            for path in sorted({*self._below[output.path], *wanted}):
                md5, found = wanted.get(path), self.files.get(path, "")
                if md5 is None:
                    yield self._of_tree(output, path, None, "belongs to nothing that DVC keeps")
                elif md5 != found:
                    fault = fault_of_list(path.parent) if path.name == LIST else None
                    yield self._of_tree(output, path, md5, fault or _said(path, found))

    def wanted(self, output: Output) -> dict[Path, str]:
        """Return the hash of each file of an output; nothing if it is a folder of unknown ones."""
        if not output.is_folder:
            return {output.path: output.md5}
        if self.objects.get(output.md5) == output.md5.removesuffix(".dir"):
            listing = json.loads(self.path_of(output.md5).read_bytes())
            return {output.path / entry["relpath"]: entry["md5"] for entry in listing}
        here = {path: self.files[path] for path in self._below[output.path]}
        digest = hashlib.md5(_listing(here, output.path)).hexdigest()
        return here if f"{digest}.dir" == output.md5 else {}

    def is_sound(self, path: Path) -> bool:
        """Whether a file of an output is what DVC has the hash of."""
        return any(self.wanted(o).get(path) == self.files.get(path, "") for o in self.outputs)

    def path_of(self, md5: str) -> Path:
        """Return where the cache has a file of that hash, or would have it."""
        return self.cache / md5[:2] / md5[2:]

    def _is_unfinished(self, folder: Path, wanted: dict[Path, str]) -> bool:
        """Whether a set's list is another than DVC has, and yet fits its packs."""
        path = folder / LIST
        return (
            self.files.get(path) not in (None, wanted.get(path)) and fault_of_list(folder) is None
        )

    def _of_tree(self, output: Output, path: Path, md5: str | None, what: str) -> Finding:
        if output.is_own:
            remedy = f"{BY_DOCTOR}, or `dvc pull {output.path}.dvc` if somebody pushed it."
        else:
            remedy = f"{BY_DOCTOR}, then `dvc repro`."
        mend = partial(self._mend_file, output, path, md5)
        return Finding("tree", str(path), what, remedy, mend)

    def _mend_object(self, md5: str) -> bool:
        """Put a cached file aside, and a good copy in its place if there is one."""
        holders = [o for o in self.outputs if md5 in (o.md5, *self.wanted(o).values())]
        copies = [path for path, here in self.files.items() if here == md5]
        bad, found = put_aside(self.path_of(md5)), self.objects.pop(md5)
        if copies:
            self._put(md5, copies[0])
        elif md5.endswith(".dir") and holders and self.wanted(holders[0]):
            self._put(md5, _listing(self.wanted(holders[0]), holders[0].path))
        elif not self._fetch(md5, holders) and any(output.is_own for output in holders):
            bad.replace(self.path_of(md5))  # the last copy of somebody's photos, damaged as it is
            self.objects[md5] = found
            return False
        return True

    def _mend_file(self, output: Output, path: Path, md5: str | None) -> bool:
        """Put a file of the tree aside, and what should be there in its place.

        Without a good copy the whole output goes, and `dvc repro` makes it again; photos stay.
        """
        is_kept = bool(md5) and self.objects.get(md5 or "") == md5
        if md5 and not is_kept and output.is_cached:
            is_kept = self._fetch(md5, [output])
        if output.is_own and (path == output.path or (md5 and not is_kept)):
            return False
        committed = b"" if output.is_cached else of_git("HEAD", path)
        for file in _files(path):
            put_aside(file)
        if is_kept and md5:
            _copy(self.path_of(md5), path)
        elif md5 and hashlib.md5(committed).hexdigest() == md5:
            _copy(committed, path)
        elif md5 or path == output.path:
            for file in _files(output.path):
                put_aside(file)
            remove(output.path)
            return True
        self.files[path] = md5 or ""
        return True

    def _keep(self, output: Output, lost: dict[Path, str]) -> bool:
        """Put files of the tree into the cache."""
        listing = _listing(self.wanted(output), output.path) if output.is_folder else b""
        for path, md5 in lost.items():
            self._put(md5, listing if md5.endswith(".dir") else path)
        return True

    def _fetch(self, md5: str, outputs: list[Output]) -> bool:
        """Bring a file of some outputs from the remote into the cache, if there is one."""
        if not Config.from_cwd()["core"].get("remote") or not outputs:
            return False
        name = f"{outputs[0].path}.dvc" if outputs[0].is_own else str(outputs[0].path)
        subprocess.run([sys.executable, "-m", "dvc", "fetch", "-q", name], capture_output=True)
        path = self.path_of(md5)
        if not path.is_file() or _hash(path) != md5.removesuffix(".dir"):
            return False
        self.objects[md5] = md5.removesuffix(".dir")
        return True

    def _put(self, md5: str, content: Path | bytes) -> None:
        _copy(content, self.path_of(md5))
        self.path_of(md5).chmod(PROTECTED)
        self.objects[md5] = md5.removesuffix(".dir")


def _unfinished(folder: Path) -> Finding:
    remedy = (
        f"Run `lookbook add {folder.name}` to finish it, or `dvc checkout --force {folder}.dvc`."
    )
    what = "has a list that DVC does not know: an add was cut off, or it was edited"
    return Finding("unfinished", str(folder), what, remedy)


def _copy(content: Path | bytes, target: Path) -> None:
    with replacing(target) as partial_path:
        if isinstance(content, Path):
            shutil.copyfile(content, partial_path)
        else:
            partial_path.write_bytes(content)


def _files(place: Path) -> list[Path]:
    """Return what DVC sees of a file or a folder."""
    if not place.is_dir():
        return [place] if place.exists() or place.is_symlink() else []
    patterns = IGNORED.read_text(encoding="utf-8").splitlines() if IGNORED.is_file() else []
    passed_over = pathspec.GitIgnoreSpec.from_lines(patterns)
    return [p for p in place.rglob("*") if not p.is_dir() and not passed_over.match_file(p)]


def _listing(files: dict[Path, str], folder: Path) -> bytes:
    """Return what DVC keeps of a folder."""
    names = {path.relative_to(folder).as_posix(): md5 for path, md5 in files.items()}
    entries = [{"md5": md5, "relpath": name} for name, md5 in sorted(names.items())]
    return json.dumps(entries).encode()


def _hash(path: Path) -> str:
    """Return the MD5 of a file; why it cannot be read, if so."""
    try:
        return md5_of(path)
    except OSError as error:
        return str(error.strerror)


def _said(path: Path, found: str) -> str:
    """Return in a few words what is wrong with a file.

    Args:
        path: The file.
        found: Its hash, or why there is none.
    """
    if found and len(found) != 32:
        return f"cannot be read ({found})"
    if not path.exists():
        return "is missing"
    size = path.stat().st_size
    return f"holds something else, {size:,} bytes" if size else "is empty"
