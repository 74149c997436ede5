"""The room transfer."""
