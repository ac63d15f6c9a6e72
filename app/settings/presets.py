"""Three ways of writing to choose from, each a set of values. What they cost is measured in docs/sampling.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.settings.setting import Value

if TYPE_CHECKING:
    from app.settings.store import Settings

_KEYS = ("infill.steps", "infill.alpha_0", "infill.sampler", "infill.schedule", "infill.correction_passes")


@dataclass(frozen=True, slots=True)
class Preset:
    """Values that go together. `help` says in one line what they are for."""

    name: str
    label: str
    help: str
    values: Mapping[str, Value]

    def apply(self, settings: Settings) -> None:
        """Gives the settings its values."""
        for key, value in self.values.items():
            settings[key] = value

    def is_set(self, settings: Settings) -> bool:
        """Whether the settings have its values."""
        return all(settings[key] == value for key, value in self.values.items())


def _preset(name: str, label: str, text: str, *values: Value) -> Preset:
    return Preset(name, label, text, MappingProxyType(dict(zip(_KEYS, values, strict=True))))


PRESETS: tuple[Preset, ...] = (
    _preset("fast", "Fast", "All in parallel, in a few steps.", 8, 1.0, "ancestral", "subcontext", 0),
    _preset("balanced", "Balanced", "Half in parallel, half word by word.", 16, 0.5, "ancestral", "subcontext", 0),
    _preset("quality", "Quality", "Mostly word by word, then corrected.", 32, 0.25, "ancestral", "subcontext", 1),
)
