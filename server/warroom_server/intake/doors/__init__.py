"""Doors of the shape that other vendors have: a sender only changes its address."""
