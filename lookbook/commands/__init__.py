"""The commands of `lookbook`: one file each, thin: arguments in, words out.

A command is found by its file's name. `configure` declares its arguments; `run` does it and returns
its exit code; what is heavy is imported in `run`, so that help takes no second.
"""
