"""What is trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass

PYTHON = "python"


@dataclass(frozen=True, slots=True)
class Document:
    """One whole document. `kind` is a folder's name, or "python"; `source` says where it comes from."""

    kind: str
    source: str
    text: str
    weight: float = 1.0

    @property
    def is_code(self) -> bool:
        """Whether it is Python source."""
        return self.kind == PYTHON
