"""Which models there are, how any of them is loaded and asked, and what it costs.

In come a rung's file and raw pixels; out come probabilities, whatever the model is. `rungs` alone
is free of heavy imports.
"""
