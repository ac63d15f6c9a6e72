"""Random use of a whole window, for as many seeds and steps as wanted.

Each seed opens a window of its own with a stepped engine; see tests/app/window/random_user.py for what is done and
checked. Stops a seed at its first difference. Prints one JSON object last, with the seeds that failed, the step, the
last actions and the difference; the exit code is 1 when there are any.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import traceback
from collections import deque
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.bench import stage


def soak(seed: int, steps: int, folder: Path) -> tuple[dict[str, object] | None, set[str]]:
    """Runs one seed. Returns what went wrong, or None, and what was seen on the way."""
    from app.infill.bridge import EngineBridge
    from app.settings import Settings
    from app.theme import Themes
    from app.window import MainWindow
    from tests.app.window.random_asks import RandomAsks, watched
    from tests.app.window.random_user import RandomUser
    from tests.fakes import SteppedSession

    chance, session, settings = random.Random(seed), SteppedSession(), Settings()
    settings["editor.wrap"] = False
    last: deque[str] = deque(maxlen=12)
    with watched() as watch:
        window = MainWindow(settings, Themes(settings), EngineBridge(session), RandomAsks(folder, chance))
        window.resize(1000, 640)
        window.show()
        user = RandomUser(window, session, folder, chance)
        try:
            for _ in range(steps):
                last.append(user.act())
                user.check()
                assert watch.said == []
            user.unwind()
            user.end()
            assert watch.said == []
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            where = traceback.extract_tb(error.__traceback__)[-1]
            wrong: dict[str, object] = {"seed": seed, "step": user.steps, "last": list(last), "said": watch.said}
            wrong |= {
                "error": f"{type(error).__name__}: {str(error)[:200]}",
                "at": f"{where.name}:{where.lineno} {where.line}",
            }
            user.end_anyhow()
            return wrong, user.seen
    return None, user.seen


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--first-seed", type=int, default=0)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--steps", type=int, default=1000)
    given = options.parse_args()
    failures: list[dict[str, object]] = []
    seen: set[str] = set()
    with stage.own_folders("redraft-mini", 1) as home:
        from app import main as editor

        app = editor._make_application()
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            folder = home / f"seed {seed}"
            folder.mkdir()
            wrong, new = soak(seed, given.steps, folder)
            seen |= new
            if wrong is not None:
                failures.append(wrong)
                print(json.dumps(wrong), file=sys.stderr, flush=True)
        app.processEvents()
    figures = {"seeds": given.seeds, "steps_each": given.steps, "seen": sorted(seen), "failures": failures}
    print(json.dumps(figures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
