"""Keras networks: their architectures, and their files.

In come the splits' description and a section of parameters; out come untrained models from raw
pixels to probabilities, and `.keras` files that are the same bytes for the same weights.
"""
