"""Fit any network: batches ahead of the model, steps, devices, optimizers, checkpoints.

In come a model, examples by index and a section of parameters; out come the model with its best
weights, its curves and figures. Knows nothing of what the model is made of.
"""
