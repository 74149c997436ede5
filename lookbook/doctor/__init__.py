"""What may be wrong with a clone, found and put right: environment, locks, files, sets, remotes.

In come the environment, dvc.lock, DVC's cache and the files in the tree; out come findings, each
with its remedy, and for many of them a function that is the remedy. Nothing is ever deleted that is
nowhere else: what is in the way is put aside in .dvc/tmp/aside.
"""
