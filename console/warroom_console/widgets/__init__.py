"""Generic terminal widgets: lists, panels, the prompt and overlays. They know no incident."""
