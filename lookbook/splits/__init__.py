"""The room splits."""
