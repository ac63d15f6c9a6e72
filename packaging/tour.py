"""Takes the pictures of docs/using-redraft.md: the real window and the real model, led through a small session.

    tour.py [--theme light|dark] [--out FOLDER] [--only NAME]

Every stop of the tour is a function that acts like a user (select, run a command, wait) and then has its picture taken.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from screenshot import PAINT_MS, PATIENCE_MS, ROOT, SAMPLE, own_folders, virtual_screen

if TYPE_CHECKING:
    from app.window.main_window import MainWindow
    from app.window.tabs import Tab

FOLDER = ROOT / "docs" / "images" / "tour"
WIDTH, HEIGHT = 1180, 760
REST_S = 0.005
SENTENCE = "He had kept the light for thirty years and had never once let it go out."
PARAGRAPH = "At the top he set the lantern down, wiped the great lens with his sleeve, and\nlooked out."
RIGHT, WRONG = "wiped the great lens", "wiped the great window spoon"
WRONG_SENTENCE = "At the top he set the lantern down, wiped the great window spoon with his sleeve, and\nlooked out."


class Tour:
    """The window, and what a user does in it. Waiting lets Qt's event loop turn."""

    def __init__(self, window: MainWindow, out: Path) -> None:
        self.window = window
        self._out = out

    @property
    def tab(self) -> Tab:
        """The document in front."""
        tab = self.window.tabs.current
        assert tab is not None
        return tab

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Lets events happen until it is so.

        Raises:
            TimeoutError: it is not so after two minutes.
        """
        from PySide6.QtCore import QDeadlineTimer
        from PySide6.QtWidgets import QApplication

        patience = QDeadlineTimer(PATIENCE_MS)
        while not is_so():
            if patience.hasExpired():
                raise TimeoutError("the tour waited in vain")
            QApplication.processEvents()
            time.sleep(REST_S)  # the engine's thread needs the interpreter too

    def pause(self, milliseconds: int = PAINT_MS) -> None:
        """Lets events happen for a while."""
        from PySide6.QtCore import QDeadlineTimer

        timer = QDeadlineTimer(milliseconds)
        self.wait_until(timer.hasExpired)

    def select(self, *texts: str) -> None:
        """Selects the first place of each text."""
        from engine.types import TextSpan

        whole = self.tab.view.text()
        starts = [whole.index(text) for text in texts]
        self.tab.view.select(
            [TextSpan(start, start + len(text)) for start, text in zip(starts, texts, strict=True)]
        )  # fmt: skip

    def run(self, command: str) -> None:
        """Chooses a command of a menu."""
        self.window.actions_.of(command).trigger()

    def fill(self, *texts: str) -> None:
        """Selects, fills, and waits for the proposal."""
        self.select(*texts)
        self.run("infill.fill")
        self.wait_until(lambda: not self.tab.controller.is_running)

    def snap(self, name: str) -> None:
        """Takes a picture of the window and whatever lies over it."""
        self.pause()
        picture = self.window.screen().grabWindow(0)
        picture.save(str(self._out / f"{name}.png"))
        print(f"{name}.png ({picture.width()} × {picture.height()})")


def proposal(tour: Tour) -> None:
    """A sentence written anew, waiting to be accepted."""
    tour.fill(SENTENCE)


def changed_words(tour: Tour) -> None:
    """What changed, in place."""
    tour.fill(SENTENCE)
    tour.run("proposal.words")


def two_proposals(tour: Tour) -> None:
    """A sentence and a paragraph, both waiting."""
    tour.fill(SENTENCE)
    tour.fill(PARAGRAPH)
    tour.run("proposal.next")


def variations(tour: Tour) -> None:
    """Five results of one run, the third one shown."""
    tour.window.settings["infill.variations"] = 5
    tour.window.settings["infill.seed"] = 22  # five results of one line each
    tour.fill(SENTENCE)
    tour.run("proposal.panel")
    for _ in range(2):
        tour.run("proposal.next_variation")


def words(tour: Tour) -> None:
    """Two words locked, the rest to be written again."""
    from engine.types import TextSpan

    tour.fill(SENTENCE)
    tour.run("proposal.panel")
    proposed = tour.tab.controller.proposals.wanted
    assert proposed is not None
    end = [place for place, letter in enumerate(proposed.texts[0]) if letter == " "][1]
    tour.window.proposal_panel.words.select(0, TextSpan(0, end))
    tour.run("proposal.lock")
    tour.window.proposal_panel.words.select(0, TextSpan(end, end))


def steps(tour: Tour) -> None:
    """The draft as it was in the middle of its run."""
    tour.fill(SENTENCE)
    tour.run("proposal.panel")
    for _ in range(6):
        tour.run("proposal.earlier_step")


def doubt(tour: Tour) -> None:
    """A wrong word, found, with what is likelier there."""
    whole = tour.tab.view.text()
    start = whole.index(RIGHT)
    tour.tab.view.replace_spans([(start, start + len(RIGHT), WRONG)])
    tour.select(WRONG_SENTENCE)
    tour.run("infill.doubt")
    tour.wait_until(lambda: tour.tab.doubt.is_running)
    tour.wait_until(lambda: not tour.tab.doubt.is_running)
    tour.tab.view.go_to_offset(start + len(WRONG) - 2)
    tour.run("infill.doubt_show")


def history(tour: Tour) -> None:
    """The runs of the document."""
    tour.window.settings["infill.seed"] = 10  # two results of one line each
    for text in (SENTENCE, PARAGRAPH):
        tour.fill(text)
        tour.tab.controller.proposals.accept()
    tour.run("infill.history")


def generated(tour: Tour) -> None:
    """Text that came from the model, marked."""
    tour.fill(PARAGRAPH)
    tour.tab.controller.proposals.accept()
    tour.run("infill.show_generated")


STOPS: dict[str, Callable[[Tour], None]] = {
    "proposal": proposal,
    "changed-words": changed_words,
    "two-proposals": two_proposals,
    "variations": variations,
    "words": words,
    "steps": steps,
    "doubt": doubt,
    "history": history,
    "generated": generated,
}


def take(name: str, out: Path) -> None:
    """One stop of the tour, in a window of its own, on a copy of the sample."""
    from PySide6.QtWidgets import QApplication

    from app import main as editor

    if QApplication.instance() is None:
        editor._make_application()
    window = editor.make_window()
    with tempfile.TemporaryDirectory(prefix="redraft-tour-") as folder:
        path = Path(folder) / "lighthouse.md"
        shutil.copyfile(SAMPLE, path)
        window.resize(WIDTH, HEIGHT)
        window.open_paths([(path, None, 1)])
        window.show()
        window.engine.start()
        tour = Tour(window, out)
        tour.wait_until(lambda: bool(window.bridge.model_name))
        STOPS[name](tour)
        tour.snap(name)
        tour.tab.controller.proposals.reject_all()
        tour.run("file.save")  # so that closing asks nothing
        window.close()


def main() -> int:
    """The command line; returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--theme", default="light", choices=["light", "dark"])
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--only", choices=list(STOPS))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    names = [options.only] if options.only else list(STOPS)
    settings = f'[appearance]\ntheme = "{options.theme}"\n[infill]\nseed = 2\nseed_locked = true\n'
    with virtual_screen():
        for name in names:
            with own_folders(settings):
                take(name, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
