"""The room ladder."""
