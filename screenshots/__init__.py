"""Pictures of the console, taken of the demo's script with a clock that stands still."""
