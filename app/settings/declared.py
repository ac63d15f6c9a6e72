"""Every setting, once: key, type, default, limits, help. Dialog, file and validation are made from these lines."""

from __future__ import annotations

from app.settings.run_settings import RUN_SETTINGS
from app.settings.setting import Setting, Unless

SETTINGS: tuple[Setting, ...] = (
    *RUN_SETTINGS,
    Setting(
        "engine.enabled",
        bool,
        True,
        "Use the model",
        "Off, nothing is loaded and nothing computes: Redraft is a plain editor.",
        heading="Engine",
    ),
    Setting(
        "engine.model",
        str,
        "redraft-mini",
        "Model",
        "Which model writes: one that is known, or one from a folder.",
    ),
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
        heading="Text",
    ),
    Setting("editor.font_size", int, 11, "Font size", "In points.", 6, 72),
    Setting("editor.wrap", bool, True, "Wrap long lines", "Breaks lines at the edge of the window, on screen only."),
    Setting("editor.show_line_numbers", bool, True, "Line numbers", "Shows them in the margin."),
    Setting("editor.show_whitespace", bool, False, "Show white space", "Shows spaces and tabs as faint marks."),
    Setting(
        "editor.show_generated",
        bool,
        False,
        "Show generated text",
        "Dots under what the model wrote and nobody has edited since, and its share in the status bar.",
    ),
    Setting("editor.tab_width", int, 4, "Tab width", "Columns of a tab and of one level of indentation.", 1, 16),
    Setting("editor.use_spaces", bool, True, "Indent with spaces", "Off, Tab inserts tab characters."),
    Setting("editor.reduced_motion", bool, False, "Reduced motion", "Shows only the start and the end of a run."),
    Setting(
        "history.enabled",
        bool,
        True,
        "Keep a history of runs",
        "On this machine only, beside the settings, never in your files.",
        heading="History",
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
