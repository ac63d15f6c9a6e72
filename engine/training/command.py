"""`redraft train`: reads the wishes, shows a progress bar, stops cleanly on a signal. torch comes in late."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import EngineError, TrainingError
from engine.training.config import ANY_ORDER, HYBRID_SETTINGS, TrainConfig, config_of, preset, read_entries, replaced

if TYPE_CHECKING:
    from engine.training.account import Listener
    from engine.training.checkpoint import Progress

_GOING_ON_RATE = 0.05
"""A trained model goes on with this share of the preset's learning rates, on text like that it was trained on ..."""
_OWN_RATE = 0.2
"""... and on the user's own text with this one. What a config says itself is taken as it is."""
_GOING_ON_WARMUP = 0.1
"""Its rates rise over this share of the run and come down over all of the rest (tried in docs/training-log.md)."""
_GOING_ON = {"samples": 20_000, "minutes": 20.0}
"""What a trained model goes on with where neither a config nor a preset was named."""
_OUT = Path("redraft-model")
_SAME_KEY = 1.0
"""Seconds in which two SIGINTs are one Ctrl+C, come on two ways."""
_NOTHING_GIVEN = (
    "Say what to train on: your own text with --from redraft-mini, a folder of text, a config, or --preset "
    "with --data. See --help."
)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the words of the command come to. `origin`: the folder of the model to go on from."""

    config: TrainConfig
    out: Path
    origin: Path | None = None


def train(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(help="A training config (.toml), or text: a folder, file or .tar.xz; with --from several."),
    ] = None,
    preset_name: Annotated[
        str | None, typer.Option("--preset", help="Start from tiny, cpu or mini instead of a config.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Text to train on: a folder, file or .tar.xz.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the model and its training state go: redraft-model here, or, for your own text with --from, a "
            "folder that the editor lists.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Train for so many minutes.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Train for so many optimizer steps.")] = None,
    call_minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="End this call after so many minutes; the same command goes on with the run."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on exactly where the run in --out stopped.")] = False,
    origin: Annotated[
        str | None, typer.Option("--from", help="Continue training this model: a model's name, or a folder.")
    ] = None,
    python: Annotated[
        bool | None, typer.Option("--python/--no-python", help="Whether to add the Python source installed here.")
    ] = None,
    pack_only: Annotated[bool, typer.Option("--pack-only", help="Pack the samples and stop before training.")] = False,
) -> None:
    """Train a model, or go on training one on your own text."""
    try:
        changes: dict[str, Any] = {"data": data, "minutes": minutes, "steps": steps, "python": python, "name": name}
        changes = {key: value for key, value in changes.items() if value is not None}
        if not (sources or data or python or preset_name or origin or resume):
            raise TrainingError(_NOTHING_GIVEN)
        wish = _wishes(sources or [], preset_name, changes, origin, out)
        goes_on = _goes_on(wish.out, resume=resume, by_calls=call_minutes is not None)
        progress, first = _run(wish, resume=goes_on, minutes=call_minutes, pack_only=pack_only)
    except EngineError as error:
        print(f"redraft train: {error}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(2) from error
    if first:
        print(_summary(wish, progress, pack_only=pack_only))  # noqa: T201


def _wishes(
    sources: Sequence[Path],
    preset_name: str | None,
    changes: dict[str, Any],
    origin: str | None,
    out: Path | None,
) -> _Wish:
    entries: dict[str, Any] = {}
    config_file = sources[0] if sources and sources[0].suffix == ".toml" else None
    texts = [path.expanduser() for path in sources if path != config_file]
    given = frozenset(changes)
    if config_file is not None:
        if preset_name is not None:
            raise TrainingError("Give a config or --preset, not both.")
        entries = read_entries(config_file)
        config = config_of(entries)
    else:
        config = preset(preset_name or "cpu")
        if origin is not None and preset_name is None:
            changes = _GOING_ON | changes
    if texts and origin is not None:
        changes = {"own": [path.resolve() for path in texts], "python": False} | changes
    elif len(texts) > 1:
        raise TrainingError("Several paths are for --from MODEL; a new model is trained on one folder.")
    elif texts:
        changes = {"data": texts[0], "python": False} | changes
    if changes.get("steps") is not None and "minutes" not in given:
        changes["minutes"] = None
    config = replaced(config, changes)
    if origin is None:
        return _Wish(config, out or _OUT)
    return _going_on(config, origin, out, given | set(entries))


def _going_on(config: TrainConfig, origin: str, out: Path | None, given: Set[str]) -> _Wish:
    """The wish to go on with a model: its sizes, and what is not `given`: gentler rates, and for the user's own text a
    name and a folder."""
    from engine.config import read_config as read_model_config
    from engine.models.registry import bundled_folder, find, user_models_folder

    folder = find(origin)
    model = read_model_config(folder)
    same = {
        key: getattr(model, key)
        for key in ("vocab_size", "hidden_size", "layers", "heads", "mlp_ratio", "context_length")
    }
    if "name" not in given:
        same["name"] = f"{model.name}-{_slug(config.own[0])}" if config.own else model.name
    trained_by = {}
    if config.objective == ANY_ORDER:
        trained_by = {key: model.training[key] for key in HYBRID_SETTINGS if key in model.training}
    config = replaced(config, same | _gentler(config, given) | trained_by)
    if not config.own:
        return _Wish(config, out or _OUT, folder)
    if Path(config.name).name != config.name or config.name.startswith("."):
        raise TrainingError(f"“{config.name}” cannot be a model's name: it would not be a folder's.")
    if out is None and bundled_folder(config.name) is not None:
        raise TrainingError(f"“{config.name}” is the name of a model that comes with Redraft: give another --name.")
    return _Wish(config, out or user_models_folder() / config.name, folder)


def _gentler(config: TrainConfig, given: Set[str]) -> dict[str, float]:
    """Rates and schedule of a model that goes on, as far as they are not `given`."""
    share = _OWN_RATE if config.own else _GOING_ON_RATE
    found = {"matrix_rate": config.matrix_rate * share, "rate": config.rate * share}
    if "warmup" not in given:
        found["warmup"] = min(_GOING_ON_WARMUP, 1 - config.cooldown if "cooldown" in given else 1.0)
    if "cooldown" not in given:
        found["cooldown"] = 1 - found.get("warmup", config.warmup)
    return {key: value for key, value in found.items() if key not in given}


def _goes_on(out: Path, *, resume: bool, by_calls: bool) -> bool:
    """Whether the run in `out` is to go on; a run by calls does once it has begun.

    Raises:
        TrainingError: there is none to go on with, or a new one would destroy the model there.
    """
    from engine.training.checkpoint import has_state

    has_begun = has_state(out)
    if resume and not has_begun:
        raise TrainingError(f"There is no training checkpoint in {out} to resume from.")
    if resume or (by_calls and has_begun):
        return True
    if has_begun or (out / "config.json").is_file():
        raise TrainingError(
            f"There is a model in {out} already: give another --out or --name, or --resume to go on with its training."
        )
    return False


def _slug(path: Path) -> str:
    """A file's or folder's name as a part of a model's."""
    return re.sub(r"[^\w]+", "-", path.stem.lower()).strip("-_") or "own"


def _run(wish: _Wish, *, resume: bool, minutes: float | None, pack_only: bool) -> tuple[Progress, bool]:
    """The progress, and whether this is the process that says so."""
    from engine.training.peers import joined
    from engine.training.process import keep_memory
    from engine.training.run import Call
    from engine.training.run import train as run_training

    keep_memory()
    with joined() as peers, _stop_signals(once=peers.size == 1) as stopped, _listener(first=peers.rank == 0) as tell:
        call = Call(resume, wish.origin, minutes, pack_only, stopped, peers=peers)
        return run_training(wish.config, wish.out, tell, call), peers.rank == 0


def _summary(wish: _Wish, progress: Progress, *, pack_only: bool) -> str:
    if pack_only:
        return f"The samples are in {wish.out}; the same command without --pack-only trains on them."
    counts = f"{progress.step:,} steps, {progress.targets:,} predicted tokens, {progress.seconds / 60:.1f} minutes"
    where = f"The model is in {wish.out} ({counts})."
    from engine.models.registry import user_models_folder

    if wish.out.parent == user_models_folder():
        return f"{where}\nChoose “{wish.out.name}” in the editor's settings, or name it with --model {wish.out.name}."
    return where


@contextmanager
def _stop_signals(*, once: bool) -> Iterator[Callable[[], bool]]:
    """SIGINT, SIGTERM and a terminal that closes set a flag that the loop looks at between steps; a second SIGINT
    interrupts at once (but not where `torchrun` hands on a SIGINT that has come from the terminal already, and not so
    soon after the first that some other program around this one has handed on the same key)."""
    seen: list[float] = []

    def note(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if once and number == signal.SIGINT and seen and now - seen[0] > _SAME_KEY:
            signal.default_int_handler(number, frame)
        seen.append(now)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup: it is to go on
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _listener(*, first: bool) -> Iterator[Listener]:
    """A progress bar on a terminal, a line now and then elsewhere; nothing but in the first process."""
    from engine.training.progress import show

    if not first:
        yield lambda _news: None
        return
    with show(sys.stderr) as tell:
        yield tell
