"""The panels: the model as rows, each a pure view of the room."""
