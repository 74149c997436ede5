"""The room linear."""
