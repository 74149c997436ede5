"""What runs an exported model: with NumPy, Pillow and LiteRT, and nothing of the pipeline.

In come files of pictures and a `.tflite` file of the stage export, with its card inside; out come
a class, a few classes, or "none of these", and how sure the model is.
"""
