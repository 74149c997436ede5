"""Lookbook's own training step of the default train_cnn; options: everywhere, bfloat16."""

import time

import numpy as np
import tensorflow as tf
from rounds import Task, serve

from benchmarks.pictures import Pictures
from lookbook.foundation.arithmetic import settle
from lookbook.foundation.params import HardwareParams, TrainCnnParams
from lookbook.networks.architectures import build_cnn
from lookbook.splits.spec import Spec, read_spec
from lookbook.training.batches import evaluation_batches, training_chunks
from lookbook.training.devices import prepared
from lookbook.training.fitting import compiled


class Ours:
    """What `lookbook.training.fitting.fit` does, an epoch at a time."""

    def __init__(self, task: Task, spec: Spec):
        settings = TrainCnnParams(**vars(task.settings) | {"epochs": task.epochs})
        settings = settings.model_copy(update={"class_weights": "none"})
        train = Pictures(task.x_train, task.y_train)
        self.held_out, _ = evaluation_batches(Pictures(task.x_validation, task.y_validation))
        self.trainer = compiled(build_cnn(spec, settings), train, settings)
        chunks, self.chunks = training_chunks(train, batch_size=settings.batch_size, seed=task.seed)
        self.iterator = iter(chunks)
        self.step = tf.function(
            self.trainer.train_step, input_signature=[self.iterator.element_spec]
        )

    def train(self) -> float:
        """Go through the training pictures once."""
        start = time.perf_counter()
        for _ in range(self.chunks):
            figures = self.step(next(self.iterator))
        assert np.isfinite(figures["loss"].numpy())
        return time.perf_counter() - start

    def accuracy(self) -> float:
        """Return that on validation data."""
        return self.trainer.evaluate(self.held_out, verbose=0, return_dict=True)["accuracy"]


if __name__ == "__main__":
    settle()
    task = Task()
    hardware = HardwareParams(
        repeatable="everywhere" if "everywhere" in task.options else "machine",
        devices="one",
        precision="bfloat16" if "bfloat16" in task.options else "float32",
    )
    with prepared(hardware, task.seed):
        serve(Ours(task, read_spec()))
