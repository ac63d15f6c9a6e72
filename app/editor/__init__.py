"""The text on the screen: Scintilla with one object per behavior, highlighting, and the preview of a draft."""
