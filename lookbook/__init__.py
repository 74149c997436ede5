"""Lookbook: the library behind the stages of the pipeline and the command `lookbook`.

Keras and TensorFlow read their settings once, when they are first imported; a value that the user
has set wins, except for the backend, which the saved models and the promise of repeatability rest
on. What TensorFlow's compiled parts print while they are imported heeds no setting (there is no
GPU, there are instructions that could be used), so that it is caught here, and shown if the import
fails. And the import takes two thirds of the time without what Keras would like to have for
features that nobody here uses, and without collecting garbage, of which there is next to none.
"""

import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what is fatal is raised, too

# Keras does without where they are missing: its wrappers for scikit-learn, its picture galleries,
# its tests for sparse inputs.
UNUSED = ("matplotlib", "matplotlib.pyplot", "scipy", "sklearn")


class _Quietly(Loader):
    """Imports a module with the process's stderr set aside, and without what it does not need."""

    def __init__(self, loader: Loader):
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with stderr_aside(), _without(UNUSED), _keeping_garbage():
            self.loader.exec_module(module)


class _TensorFlow(MetaPathFinder):
    """Finds TensorFlow or Keras, whichever brings the other, and lets it be imported quietly."""

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name not in ("tensorflow", "keras"):
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec and spec.loader:
            spec.loader = _Quietly(spec.loader)
        return spec


@contextlib.contextmanager
def stderr_aside() -> Iterator[None]:
    """Keep what is written to the process's stderr from being seen, unless the block fails."""
    with tempfile.TemporaryFile() as said:
        stderr = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextlib.contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """Let modules be missing for the block, those that nothing has imported yet."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]  # None: there is none
    try:
        yield
    finally:
        for name in missing:
            sys.modules.pop(name, None)


@contextlib.contextmanager
def _keeping_garbage() -> Iterator[None]:
    """Collect no garbage in the block, and none of what it has left later: modules stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


if "tensorflow" not in sys.modules:
    sys.meta_path.insert(0, _TensorFlow())
