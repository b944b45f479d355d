"""Senders described as data: files that say where in a body the parts of an alert are."""
