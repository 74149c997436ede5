"""Ask an exported model in Python.

python docs/examples/predict.py models/export/train_cnn.tflite photo.jpg other.jpg
"""

import sys

from lookbook.inference import Classifier, Fault

model, *pictures = sys.argv[1:]
for path, said in zip(pictures, Classifier(model).predict(pictures), strict=True):
    if isinstance(said, Fault):
        print(f"{path}: {said.reason}", file=sys.stderr)
    else:
        print(f"{path}: {said.answer}, {said.probability:.3f} for {said.likeliest}")
