"""Runs of the pipeline with other settings: the sources' programs, and the search for better ones.

In come recipes.yaml and the names of recipes, or search.yaml and a stage; out come DVC experiments,
and what may be said of their figures.
"""
