"""loss.png: the losses of a run, from its log. Needs matplotlib, which the optional part `train` brings."""

from __future__ import annotations

from pathlib import Path

from engine.errors import TrainingError
from engine.training.journal import read_journal

PLOT_FILE = "loss.png"


def draw_losses(folder: Path) -> Path:
    """Draws the log of the run in `folder`: the losses of its steps, the bits per byte of held-out text.

    Raises:
        TrainingError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TrainingError(
            "There is no plot of the losses: it needs matplotlib (pip install redraft[train])."
        ) from error
    entries = read_journal(folder)
    steps = [entry for entry in entries if "loss" in entry]
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for key, label in (("loss", "holes"), ("context_loss", "context")):
        left.plot([entry["step"] for entry in steps], [entry[key] for entry in steps], label=label, linewidth=1)
    left.set(title="Training loss", xlabel="step", ylabel="nats a token")
    for key in sorted({key for entry in entries for key in _measures(entry)}):
        points = [(entry["step"], _measures(entry)[key]) for entry in entries if key in _measures(entry)]
        right.plot(*zip(*points, strict=True), label=key.replace("_alpha_", ", α₀ "), marker=".", linewidth=1)
    right.set(title="Held-out text", xlabel="step", ylabel="bits per byte")
    for axes in (left, right):
        axes.grid(visible=True, alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False)
    path = folder / PLOT_FILE
    try:
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise TrainingError(f"The plot of the losses cannot be written to {path}: {error}.") from error
    return path


def _measures(entry: dict[str, object]) -> dict[str, object]:
    found = entry.get("held_out")
    return found if isinstance(found, dict) else {}
