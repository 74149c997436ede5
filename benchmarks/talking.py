"""Run a training stage with the line that Keras prints of each epoch, by which it is timed.

python -m benchmarks.talking train_cnn
"""

import runpy
import sys

import keras


def main() -> None:
    """Let `fit` talk as the plain scripts' does, and run the stage."""
    fit = keras.Model.fit
    keras.Model.fit = lambda self, *data, **options: fit(self, *data, **options | {"verbose": 2})
    runpy.run_module(f"stages.{sys.argv[1]}", run_name="__main__")


if __name__ == "__main__":
    main()
