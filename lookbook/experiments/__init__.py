"""The room experiments."""
