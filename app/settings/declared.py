"""Every setting, once: key, type, default, limits, help. Dialog, file and validation are made from these lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from engine.types import SAMPLER_NAMES, SCHEDULE_NAMES

Value: TypeAlias = bool | int | float | str


class SettingError(ValueError):
    """A value that a setting does not take; str() is the sentence for the user."""


@dataclass(frozen=True, slots=True)
class Unless:
    """A setting has no effect while another one has one of these values."""

    key: str
    values: tuple[Value, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `minimum` and `maximum` are inclusive; `prefixes` are further beginnings that `choices` allow."""

    key: str
    type: type
    default: Value
    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    zero_means: str = ""
    unless: Unless | None = None

    @property
    def section(self) -> str:
        """The part of the key before the dot: a table of the file, a group of the panel."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """The part of the key after the dot."""
        return self.key.partition(".")[2]

    def validated(self, value: object) -> Value:
        """The value in the setting's type. Raises SettingError, whose text says what is allowed."""
        if self.type is bool:
            if isinstance(value, bool):
                return value
        elif self.type is str:
            if isinstance(value, str) and self._allows(value):
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool) and self._in_range(value):
            return float(value) if self.type is float else int(value)
        raise SettingError(f"{self.key} must be {self._expected()}, not {value!r}.")

    def _allows(self, value: str) -> bool:
        return not self.choices or value in self.choices or (bool(self.prefixes) and value.startswith(self.prefixes))

    def _in_range(self, value: float) -> bool:
        low, high = self.minimum, self.maximum
        if not ((low is None or value >= low) and (high is None or value <= high)):
            return False
        return math.isfinite(value) and (self.type is float or value == int(value))

    def _expected(self) -> str:
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "one of " + ", ".join(self.choices) if self.choices else "a text"
        kind = "a whole number" if self.type is int else "a number"
        return f"{kind} from {self.minimum:g} to {self.maximum:g}"


_GREEDY = Unless("infill.temperature", (0.0,), "At temperature 0 the likeliest word is always taken.")
_ONE_BY_ONE = Unless("infill.alpha_0", (0.0,), "With a diffusion share of 0 every word is written left to right.")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "infill.steps",
        int,
        16,
        "Steps",
        "Denoising steps at most. Fewer are faster, more are finer.",
        1,
        256,
        unless=_ONE_BY_ONE,
    ),
    Setting(
        "infill.alpha_0",
        float,
        0.5,
        "Diffusion share α₀",
        "1 writes everything in parallel, 0 word by word from the left.",
        0,
        1,
    ),
    Setting(
        "infill.strength", float, 0.5, "Refine strength", "How much of the selected text Refine may rewrite.", 0.05, 1
    ),
    Setting(
        "infill.temperature",
        float,
        0.7,
        "Temperature",
        "0 takes the likeliest word each time; higher is more varied.",
        0,
        2,
    ),
    Setting(
        "infill.top_p",
        float,
        0.9,
        "Top-p",
        "Draws only from the likeliest words that make up this share.",
        0.01,
        1,
        unless=_GREEDY,
    ),
    Setting(
        "infill.seed_locked", bool, False, "Keep the seed", "The same text and settings then give the same result."
    ),
    Setting(
        "infill.seed",
        int,
        0,
        "Seed",
        "Where the random numbers start.",
        0,
        2**31 - 1,
        unless=Unless(
            "infill.seed_locked", (False,), "Each run draws a new seed. Switch on “Keep the seed” to choose one."
        ),
    ),
    Setting(
        "infill.capacity",
        int,
        0,
        "Room for new text",
        "Tokens a span may hold, at most.",
        0,
        1024,
        zero_means="automatic",
    ),
    Setting(
        "infill.longer",
        float,
        1.6,
        "Longer by",
        "“Rewrite Longer” writes this many times the selected text.",
        1.1,
        3,
    ),
    Setting(
        "infill.shorter",
        float,
        0.6,
        "Shorter by",
        "“Rewrite Shorter” writes this share of the selected text.",
        0.2,
        0.9,
    ),
    Setting("infill.variations", int, 1, "Variations", "Results of one run, to choose from.", 1, 8),
    Setting(
        "infill.correction_passes",
        int,
        0,
        "Correction passes",
        "How often doubtful words of the result are written again.",
        0,
        8,
    ),
    Setting(
        "infill.context_extent",
        int,
        0,
        "Text it reads",
        "Characters around the place, a third of them after it. Less is faster, more is better informed.",
        0,
        18_000,
        zero_means="all that fits",
    ),
    Setting(
        "infill.context_order",
        str,
        "suffix_first",
        "Context order",
        "In which order the surrounding text is read. Suffix first makes typing cheap.",
        choices=("suffix_first", "prefix_first"),
    ),
    Setting(
        "infill.sampler",
        str,
        "ancestral",
        "Sampler",
        "Which words a step keeps, and which it masks again.",
        choices=SAMPLER_NAMES,
        unless=_ONE_BY_ONE,
    ),
    Setting(
        "infill.schedule",
        str,
        "log-linear",
        "Schedule",
        "How many words each step writes, and where.",
        choices=SCHEDULE_NAMES,
        unless=_ONE_BY_ONE,
    ),
    Setting(
        "infill.top_k",
        int,
        0,
        "Top-k",
        "Draws only from this many of the likeliest words.",
        0,
        1000,
        zero_means="all",
        unless=_GREEDY,
    ),
    Setting(
        "infill.min_p",
        float,
        0.0,
        "Least share",
        "Leaves out words less likely than this share of the likeliest one.",
        0,
        1,
        unless=_GREEDY,
    ),
    Setting(
        "infill.repetition_penalty",
        float,
        1.0,
        "Repetition guard",
        "Above 1, text that repeats what stands nearby is held down.",
        1,
        2,
    ),
    Setting(
        "infill.banned",
        str,
        "",
        "Never write",
        "Words, separated by commas, that no new text contains.",
        zero_means="nothing",
    ),
    Setting("engine.model", str, "redraft-mini", "Model", "The name of a model, or the path of its folder."),
    Setting(
        "engine.device",
        str,
        "auto",
        "Device",
        "What computes. Automatic takes a graphics card when there is one.",
        choices=("auto", "cpu", "cuda", "mps"),
        prefixes=("cuda:",),
    ),
    Setting(
        "engine.dtype",
        str,
        "auto",
        "Precision",
        "bfloat16 is faster where the processor has it; int8 pays for larger models.",
        choices=("auto", "float32", "bfloat16", "int8"),
    ),
    Setting(
        "engine.threads",
        int,
        0,
        "Threads",
        "Processor threads the engine may use.",
        0,
        256,
        zero_means="automatic",
        unless=Unless("engine.device", ("cuda", "mps"), "Threads count only when the processor computes."),
    ),
    Setting(
        "editor.font_family",
        str,
        "",
        "Font",
        "The name of a font, or nothing for the system's fixed-width one.",
        zero_means="automatic",
    ),
    Setting("editor.font_size", int, 11, "Font size", "In points.", 6, 72),
    Setting("editor.wrap", bool, True, "Wrap long lines", "Breaks lines at the edge of the window, on screen only."),
    Setting("editor.show_line_numbers", bool, True, "Line numbers", "Shows them in the margin."),
    Setting("editor.show_whitespace", bool, False, "Show white space", "Shows spaces and tabs as faint marks."),
    Setting("editor.tab_width", int, 4, "Tab width", "Columns of a tab and of one level of indentation.", 1, 16),
    Setting("editor.use_spaces", bool, True, "Indent with spaces", "Off, Tab inserts tab characters."),
    Setting("editor.reduced_motion", bool, False, "Reduced motion", "Shows only the start and the end of a run."),
    Setting(
        "history.enabled",
        bool,
        True,
        "Keep a history of runs",
        "On this machine only, beside the settings, never in your files.",
    ),
    Setting(
        "history.limit_mb",
        int,
        20,
        "Room for the history",
        "In megabytes, for all files together; the oldest runs go first.",
        1,
        1000,
        unless=Unless("history.enabled", (False,), "No history is kept."),
    ),
    Setting(
        "history.keep_marks",
        bool,
        True,
        "Remember generated text",
        "Which parts of a saved file came from the model; kept beside the history, without the text.",
    ),
    Setting(
        "appearance.theme", str, "system", "Theme", "Colors of the whole window.", choices=("system", "light", "dark")
    ),
)
