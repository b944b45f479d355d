"""What the server does about alerts besides taking them in: watch, ask back, silence, declare."""
