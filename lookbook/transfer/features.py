"""The features of a split: each picture goes through a frozen base once, and never again.

They are kept in the user's cache, a folder for each combination of base, pictures and views, so
that another head, another run or another clone of the project finds them:

    features/<key>/00000-<sha256>.npy   float32 (n, features), at most 64 MiB

A shard whose content has not the hash of its name is not used: all of them are made anew. The least
recently used are removed when all of them together pass 8 GiB.
"""

import functools
import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tqdm import tqdm

from lookbook.cluster.elsewhere import Elsewhere
from lookbook.cluster.mapping import mapped
from lookbook.cluster.networks import conditions
from lookbook.foundation.arithmetic import of_networks
from lookbook.foundation.files import forget_abandoned, remove, sha256_of
from lookbook.foundation.places import cache_folder
from lookbook.networks.saving import load_keras
from lookbook.splits.shards import Shards
from lookbook.splits.split import Split
from lookbook.splits.writing import SHARD_BYTES
from lookbook.training.augmentation import Augmentation
from lookbook.training.devices import make_deterministic
from lookbook.transfer.bases import weights_hash

FORMAT = 5  # of the cache's content; raised when features are computed in another way
KEPT_BYTES = 8 * 2**30

logger = logging.getLogger(__name__)


class Extractor:
    """A frozen model from raw pixels to features, with the weights that it has at first.

    Attributes:
        model: As `lookbook.networks.build_feature_extractor` makes it.
        key: What the features depend on besides the pictures.
    """

    def __init__(self, model: keras.Model):
        """Note which weights the model has."""
        self.model = model
        self.key = (weights_hash(model), model.to_json(), tf.__version__, of_networks())

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return float32 (n, features) for pixels of shape (n, height, width, channels)."""
        return self._graph(tf.cast(images, tf.float32))[0].numpy()

    @functools.cached_property
    def _graph(self) -> Callable:
        """The model with its weights as constants.

        TensorFlow then makes one operation of a convolution and its batch normalisation, which
        takes a tenth to a third less time on CPUs. Features differ by rounding. TensorFlow exports
        the function that does it under no public name, only its ancestor for graphs of version 1.
        """
        pixels = tf.TensorSpec([None, *self.model.input_shape[1:]], tf.float32)
        call = tf.function(lambda images: tf.cast(self.model(images, training=False), tf.float32))
        return convert_variables_to_constants_v2(call.get_concrete_function(pixels))

    @property
    def elsewhere(self) -> Elsewhere:
        """What makes it again on another machine."""
        return Elsewhere(_loaded, "extractor.keras", lambda: self._file, conditions)

    @functools.cached_property
    def _file(self) -> bytes:
        """The model as Keras saves it, precision included."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "extractor.keras")
            self.model.save(path)
            return path.read_bytes()


def _loaded(path: Path) -> Extractor:
    make_deterministic(0)
    return Extractor(load_keras(path, remedy="Run the command again."))


class Features:
    """The features of a split, in place of its pictures.

    With several views there are as many rows a picture: first every picture as it is, then every
    picture augmented, once for each further view.
    """

    def __init__(
        self,
        extractor: Extractor,
        split: Split,
        *,
        views: int = 1,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ):
        """Find the features in the cache, or compute them.

        Args:
            extractor: From raw pixels to features.
            split: The pictures.
            views: How often each picture goes through the base.
            augmentation: Of the views after the first.
            seed: Of the augmentation.
        """
        self.split = split
        self.views = views
        width = extractor.model.output_shape[-1]
        varied = (views, augmentation, seed) if views > 1 else ()
        parts = (FORMAT, split.fingerprint(), extractor.key, varied)
        self._key = hashlib.sha256(repr(parts).encode()).hexdigest()
        folder = cache_folder("features") / self._key
        if _is_whole(folder, len(self), width):
            logger.info("%s features: kept from an earlier run", split.name)
            folder.touch()
        else:
            blocks = _computed(extractor, split, views, augmentation, seed)
            _write(folder, blocks, width)
            _forget(folder.parent, keep=folder)
        self._shards = _opened(folder, width)

    def __len__(self) -> int:
        return self.views * len(self.split)

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return float32 features of shape (len(indices), features)."""
        return self._shards.take(indices)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the same by plain reads; see `Shards.read`."""
        return self._shards.read(indices)

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return the targets of the pictures that these rows are views of."""
        return self.split.targets(indices % len(self.split))

    def fingerprint(self) -> str:
        """Return a hash of what the features are made of."""
        return self._key

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each feature, summed up in float64."""
        total = sum(shard.sum(axis=0, dtype=np.float64) for shard in self._shards)
        mean = total / len(self)
        squares = sum(((shard - mean) ** 2).sum(axis=0) for shard in self._shards)
        return mean.astype(np.float32), (squares / len(self)).astype(np.float32)


def _computed(
    extractor: Extractor,
    split: Split,
    views: int,
    augmentation: Augmentation | None,
    seed: int,
) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)

    def pictures() -> Iterator[np.ndarray]:
        for view in range(views):
            for block in split.blocks():
                images = split.images(block)
                yield augmentation.apply(rng, images) if view and augmentation else images

    with tqdm(
        total=views * len(split), desc=f"{split.name} features", disable=None, leave=False
    ) as bar:
        for features in mapped(extractor, pictures(), extractor.elsewhere):
            yield features
            bar.update(len(features))


def _write(folder: Path, blocks: Iterator[np.ndarray], width: int) -> None:
    """Write the blocks as shards into a folder of its own, and give that its name."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".partial-"))
    try:
        for shard, rows in enumerate(_regrouped(blocks, max(1, SHARD_BYTES // (4 * width)))):
            path = partial / f"{shard:05}.npy"
            np.save(path, rows, allow_pickle=False)
            path.rename(path.with_stem(f"{shard:05}-{sha256_of(path)}"))
        remove(folder)  # damaged, if it is there
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():  # of another run, which was quicker
                raise
            remove(partial)
    except BaseException:
        remove(partial)
        raise


def _regrouped(blocks: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Yield the rows of the blocks, `size` at a time."""
    waiting, rows = [], 0
    for block in blocks:
        waiting.append(block)
        rows += len(block)
        while rows >= size:
            ready = np.concatenate(waiting)
            yield ready[:size]
            waiting, rows = [ready[size:]], rows - size
    if rows:
        yield np.concatenate(waiting)


def _is_whole(folder: Path, count: int, width: int) -> bool:
    """Return whether a folder has so many features, all of them as they were written."""
    paths = sorted(folder.glob("*.npy"))
    sound = all(sha256_of(path) == path.stem.partition("-")[2] for path in paths)
    if sound and len(_opened(folder, width)) == count:
        return True
    if paths:
        logger.warning("%s is damaged; computing the features anew", folder)
    return False


def _opened(folder: Path, width: int) -> Shards:
    paths = sorted(folder.glob("*.npy"))
    counts = [len(np.load(path, mmap_mode="r", allow_pickle=False)) for path in paths]
    return Shards(paths, counts, (width,), np.float32)


def _forget(folder: Path, keep: Path) -> None:
    """Remove the least recently used features until the others fit into `KEPT_BYTES`.

    And what a kill has left half-written.
    """
    forget_abandoned(folder)
    kept = sorted(folder.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in kept:
        total += sum(file.stat().st_size for file in path.iterdir())
        if total > KEPT_BYTES and path != keep:
            remove(path)
