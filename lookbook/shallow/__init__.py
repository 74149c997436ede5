"""Models that are no networks: what they see of a picture, and their files of plain arrays.

In come raw pixels and what a model has learnt; out come rows of numbers, an `.npz` file that is
loaded without running code, and probabilities.
"""
