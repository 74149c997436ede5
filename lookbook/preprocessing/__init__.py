"""The room preprocessing."""
