"""From bytes to signals: what the readers of all kinds have in common."""
