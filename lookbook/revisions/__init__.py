"""Other revisions of the repository: their files, their pipeline run again, what differs.

In comes a Git revision; out come its outputs (from Git, DVC's cache or a remote), changes of
predictions with verdicts, and what a second run of it reproduced.
"""
