"""Models that are no networks: what they see of a picture, and their files of plain arrays.

In come raw pixels and a fitted scikit-learn estimator; out come rows of numbers, an `.npz` file
that is loaded without running code, and probabilities.
"""
