"""What Redraft remembers of its runs: in a database of the user's data folder, never in the user's files."""

from app.history.entries import Around, Entry, Kept, Marks
from app.history.history import History

__all__ = ["Around", "Entry", "History", "Kept", "Marks"]
