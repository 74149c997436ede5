"""The room foundation."""
