"""Runs of the pipeline with other settings: the sources' programs, as recipes.

In come recipes.yaml and the names of recipes; out come DVC experiments and a row of figures each.
"""
