"""Open files: their metadata, their bytes on disk, and positions in their text. The text itself lives in the view."""
