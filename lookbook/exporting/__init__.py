"""From a model of the ladder to one file that runs without the pipeline, with proof that it does.

In come a model, its doubt and what evaluate measured; out come a `.tflite` file with a card inside
(see `lookbook.inference.card`), the figures of the proof, and a model card for people.
"""
