"""The room revisions."""
