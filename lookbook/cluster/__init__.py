"""One function for many items, here or on the workers of a Dask cluster, with the same bytes.

In come a function, the items, and what makes the same function elsewhere; out come the results, in
the items' order. Without DASK_SCHEDULER_ADDRESS nothing of Dask is imported.
"""
