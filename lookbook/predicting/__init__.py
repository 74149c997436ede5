"""Pictures wherever they lie, to rows of what a model answers: what `lookbook predict` does.

In come files, folders, archives and names, and a classifier; out come rows in a table, copies in
one folder a class, and a score. Imports nothing of the pipeline.
"""
