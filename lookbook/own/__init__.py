"""The room own."""
