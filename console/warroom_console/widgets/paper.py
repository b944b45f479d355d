"""`Paper`: the text area of the editor.

It stands apart because importing it costs a tenth of the console's start.
"""

from __future__ import annotations

from textual.widgets import TextArea


class Paper(TextArea):
    """A text area that paints what it has wrapped anew."""

    def on_resize(self) -> None:
        """Paint again: Textual does so only where there are more lines than before, or fewer."""
        self.refresh()
