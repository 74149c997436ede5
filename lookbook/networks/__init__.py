"""The room networks."""
