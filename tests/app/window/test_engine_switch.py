"""One switch for the model: off, what is left is a plain editor and nothing of the engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app.infill.bridge import OFF, EngineBridge
from app.settings import Settings
from app.theme import Themes
from app.window import MainWindow
from engine.types import Frame, ModelReady, RunStats
from tests.app.window.conftest import FakeAsks, deliver
from tests.fakes import FAKE_MODEL, SteppedSession

MODEL_MENUS = {"&Infill", "&Proposal"}


def off(desk):
    desk.do("view.use_model")


def menus(window):
    return {action.text() for action in window.menuBar().actions() if action.isVisible()}


def test_off_hides_menus_strip_rows_and_status(desk):
    window = desk.window
    desk.open("x.txt", "some old words")
    desk.do("infill.history")
    assert menus(window) >= MODEL_MENUS
    off(desk)
    assert not menus(window) & MODEL_MENUS
    assert not window.strip.isVisible()
    assert not window.presets.isVisible()
    assert not window.docks.history_shown()
    assert not window.status.stop.isVisible()
    assert not window.status.engine.isVisible()
    shown = [
        key for key, row in window.panel.rows.items() if key.split(".")[0] in {"infill", "engine"} and row.isVisible()
    ]
    assert shown == ["engine.enabled"]
    window.panel.pages.setCurrentIndex(1)
    assert window.panel.rows["editor.wrap"].isVisible()
    assert not any(window.panel.rows[key].isVisible() for key in ("history.enabled", "editor.show_generated"))
    assert not {each.id for each in window.actions_.shown_commands if each.group in {"infill", "proposal"}}


def test_off_leaves_no_entry_in_the_texts_own_menu_and_none_in_the_page_of_keys(desk):
    desk.open("x.txt", "some old words")
    off(desk)
    menu = desk.window.actions_.menu("infill.fill", "", "proposal.accept", "", "edit.cut")
    assert isinstance(menu, QMenu)
    assert [action.objectName() for action in menu.actions() if action.isVisible() and not action.isSeparator()] == [
        "edit.cut"
    ]


def test_off_the_keys_of_an_infill_do_nothing(desk):
    desk.open("x.txt", "some old words")
    desk.tab.view.select_all()
    off(desk)
    surface = desk.tab.view.surface
    QTest.keyClick(surface, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    desk.do("infill.fill")
    desk.do("infill.history")
    assert desk.session.runs == []
    assert desk.tab.controller.state == "idle"
    assert not desk.window.docks.history_shown()


def test_off_is_still_an_editor(desk):
    desk.open("x.txt", "some old words")
    off(desk)
    QTest.keyClicks(desk.tab.view.surface, "new ")
    desk.do("file.save")
    assert (desk.folder / "x.txt").read_text() == "new some old words"


def test_off_ends_the_engine_and_asks_it_for_nothing(desk):
    desk.window.engine.start()
    desk.session.finish_load()
    deliver()
    off(desk)
    assert desk.session.is_closed
    desk.window.settings["engine.threads"] = 3
    desk.window.engine.settle()
    desk.window.engine.start()
    assert len(desk.session.loads) == 1
    desk.open("x.txt", "some old words")
    desk.tab.view.select_all()
    desk.tab.controller.prewarmer.timer.timeout.emit()
    assert desk.session.prewarmed == []


def test_off_stops_a_run_and_leaves_the_text(desk):
    desk.open("x.txt", "some old words")
    desk.fill("old")
    desk.allow(2)
    off(desk)
    assert desk.session.run.job.is_cancelled
    assert desk.tab.controller.state == "idle"
    assert not desk.tab.view.overlay.is_shown
    desk.allow(4)
    assert desk.tab.controller.state == "idle"
    assert desk.tab.view.text() == "some old words"
    assert "switched off" in desk.window.status.message.text()


def test_off_drops_proposals_with_a_sentence_and_the_history_has_them(desk):
    desk.open("a.txt", "some old words")
    desk.fill("old")
    desk.allow(4)
    desk.open("b.txt", "some old words")
    desk.fill("old")
    desk.allow(4)
    off(desk)
    assert [tab.controller.state for tab in desk.window.tabs.all] == ["idle", "idle"]
    assert desk.tab.view.text() == "some old words"
    assert "2 proposals" in desk.window.notices.text
    assert "history still has them" in desk.window.notices.text
    off(desk)
    desk.do("infill.history")
    assert desk.window.history.history.finish()
    desk.window.history_panel.restore.click()
    assert desk.window.history.history.finish()
    assert desk.tab.controller.state == "proposal"
    desk.do("proposal.reject")


def test_without_a_history_the_sentence_promises_none(desk):
    desk.window.settings["history.enabled"] = False
    desk.open("a.txt", "some old words")
    desk.fill("old")
    desk.allow(4)
    off(desk)
    assert "history" not in desk.window.notices.text
    assert "discarded" in desk.window.notices.text


def test_on_again_loads_the_model_and_shows_all(desk):
    window = desk.window
    window.engine.start()
    desk.do("infill.history")
    off(desk)
    off(desk)
    assert len(desk.session.loads) == 2
    assert menus(window) >= MODEL_MENUS
    assert window.strip.isVisible()
    assert window.docks.history_shown()
    assert window.panel.rows["infill.steps"].isVisible()
    desk.session.finish_load()
    deliver()
    assert window.status.engine.text().endswith("ready")
    desk.open("x.txt", "some old words")
    desk.fill("old")
    desk.allow(4)
    assert desk.tab.controller.state == "proposal"
    desk.do("proposal.reject")


def test_before_the_window_was_painted_on_again_loads_nothing_yet(desk):
    off(desk)
    off(desk)
    assert desk.session.loads == []


def test_off_hides_marks_of_generated_text_but_keeps_them(desk):
    desk.open("x.txt", "some old words")
    desk.fill("old")
    desk.allow(4)
    desk.do("proposal.accept")
    desk.do("infill.show_generated")
    off(desk)
    assert not desk.window.status.generated.isVisible()
    assert desk.tab.view.surface.indicatorValueAt(20, 6) == 0
    off(desk)
    assert desk.window.status.generated.isVisible()
    assert desk.tab.view.surface.indicatorValueAt(20, 6) == 1


def test_off_at_the_start_begins_as_a_plain_editor(qtbot, plain_application):
    settings = Settings()
    settings["engine.enabled"] = False
    session = SteppedSession()
    window = MainWindow(settings, Themes(settings), EngineBridge(session), FakeAsks())
    qtbot.addWidget(window)
    window.show()
    window.open_paths([])
    window.engine.start()
    assert session.loads == []
    assert not menus(window) & MODEL_MENUS
    assert not window.strip.isVisible()


# the bridge


def test_a_bridge_that_is_off_refuses_in_a_sentence(qtbot):
    session = SteppedSession()
    bridge = EngineBridge(session)
    failed: list[str] = []
    bridge.failed.connect(lambda event: failed.append(event.message))
    bridge.switch(False)
    assert not bridge.is_on
    from engine.types import DoubtRequest, InfillRequest, ModelChoice

    bridge.submit(InfillRequest("", ()), "x")
    bridge.doubt(DoubtRequest("a"), "x")
    bridge.prewarm(InfillRequest("", ()), "x")
    bridge.load_model(ModelChoice())
    deliver()
    assert failed == [OFF, OFF, OFF]
    assert (session.runs, session.prewarmed, session.loads) == ([], [], [])
    bridge.switch(True)
    bridge.submit(InfillRequest("", ()), "x")
    assert len(session.runs) == 1
    bridge.close()


@pytest.mark.parametrize("event", [ModelReady(1, FAKE_MODEL), Frame(1, 1, 2, (), RunStats())])
def test_what_an_ending_thread_still_says_is_not_taken_for_a_model(qtbot, event):
    bridge = EngineBridge(SteppedSession())
    told: list[object] = []
    bridge.model_state.connect(told.append)
    bridge.frame.connect(told.append)
    bridge.switch(False)
    bridge._on_event(event)
    deliver()
    assert told == []
    assert not bridge.is_ready
    bridge.close()


START = """
import sys, threading
from PySide6.QtCore import QTimer
from app import main
from app.window import MainWindow

def look(window):
    names = [thread.name for thread in threading.enumerate()]
    print("torch" in sys.modules, any("engine" in name for name in names), window.isVisible())
    window.close()

shown = MainWindow.show
def show(window):
    shown(window)
    QTimer.singleShot(400, window, lambda: look(window))
MainWindow.show = show
sys.exit(main.main([]))
"""


def test_a_real_start_with_the_model_off_imports_no_torch_and_begins_no_engine(user_directories):
    (user_directories / "config" / "settings.toml").write_text("[engine]\nenabled = false\n")
    root = Path(__file__).parents[3]
    answer = subprocess.run([sys.executable, "-c", START], cwd=root, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == ["False", "False", "True"]
