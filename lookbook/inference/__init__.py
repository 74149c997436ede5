"""What runs an exported model: with NumPy, Pillow and LiteRT, and nothing of the pipeline.

In come pictures, as files or pixels, and a `.tflite` file of the stage export with its card inside;
out comes what the model answers: a class, a few classes, or "none of these", and how sure it is.

    from lookbook.inference import Classifier

    Classifier("models/export/train_cnn.tflite").predict(["cat.jpg"])
"""

from lookbook.inference.classifier import Classifier, Prediction
from lookbook.pictures.decoding import Fault

__all__ = ["Classifier", "Fault", "Prediction"]
