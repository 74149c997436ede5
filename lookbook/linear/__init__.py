"""The linear classifier: what it sees of a picture, and its file.

In come raw pixels and a fitted scikit-learn classifier; out come rows of numbers, an `.npz` file of
plain arrays, and probabilities.
"""
