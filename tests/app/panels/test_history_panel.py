"""The panel of runs: what it lists, and that everything can be asked for with mouse and keyboard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.history import Entry
from app.panels.history_panel import HistoryPanel
from app.panels.history_rows import row_head, row_sentence, row_tip, row_when

FIRST = Entry(1, datetime(2020, 5, 6, 7, 8, tzinfo=UTC), "fill", "old words", "new words", 7, "mini", 1, False)
ENTRIES = [replace(FIRST, id=3), replace(FIRST, id=2, mode="continue", before="", is_partial=True, spans=2), FIRST]


@pytest.fixture
def panel(qtbot):
    made = HistoryPanel()
    qtbot.addWidget(made)
    made.resize(280, 500)
    made.show()
    qtbot.waitExposed(made)
    made.show_entries(ENTRIES)
    return made


def asked(signal):
    answers = []
    signal.connect(lambda *values: answers.append(values[0] if values else True))
    return answers


def test_the_newest_run_is_chosen_and_counted(panel):
    assert panel.chosen == 3
    assert panel.title.text() == "History · 3 runs"
    assert not panel.note.isVisible()


def test_without_runs_it_says_what_will_be_here_and_offers_nothing(panel):
    panel.show_entries([])
    assert "No runs yet" in panel.note.text()
    assert panel.title.text() == "History"
    assert panel.chosen is None
    for button in (panel.replay, panel.restore, panel.copy, panel.delete):
        assert not button.isEnabled()
        answers = asked(panel.restore_asked)
        button.click()
        assert answers == []


def test_it_says_when_no_history_is_kept(panel):
    panel.show_on(False)
    assert "No history is kept" in panel.note.text()
    assert panel.restore.isEnabled()
    panel.show_on(True)
    assert not panel.note.isVisible()


@pytest.mark.parametrize("name", ["replay", "restore", "copy"])
def test_each_button_asks_for_the_chosen_run(panel, name):
    answers = asked(getattr(panel, f"{name}_asked"))
    panel.list.setCurrentRow(1)
    QTest.mouseClick(getattr(panel, name), Qt.MouseButton.LeftButton)
    assert answers == [2]


def test_keys_choose_restore_and_delete(panel):
    restored, deleted = asked(panel.restore_asked), asked(panel.delete_asked)
    panel.focus_first()
    assert panel.list.hasFocus()
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    assert (restored, deleted) == ([2], [[2]])


def test_several_runs_can_be_deleted_at_once_but_not_replayed(panel):
    deleted, replayed = asked(panel.delete_asked), asked(panel.replay_asked)
    panel.focus_first()
    QTest.keyClick(panel.list, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert not panel.replay.isEnabled()
    QTest.mouseClick(panel.replay, Qt.MouseButton.LeftButton)
    panel.delete.click()
    assert deleted == [[3, 2]]
    assert replayed == []


def test_another_list_keeps_the_choice_or_takes_the_next_one(panel):
    panel.list.setCurrentRow(1)
    panel.show_entries([replace(FIRST, id=9), *ENTRIES])
    assert panel.chosen == 2
    panel.show_entries([ENTRIES[0], ENTRIES[2]])
    assert panel.chosen == 1


def test_the_newest_run_stays_chosen_while_the_user_is_elsewhere(panel):
    newer = [replace(FIRST, id=9), *ENTRIES]
    panel.show_entries(newer)
    assert panel.chosen == 9
    panel.focus_first()
    panel.show_entries([replace(FIRST, id=10), *newer])
    assert panel.chosen == 9


def test_the_menus_offer_everything(panel):
    every, whole = asked(panel.delete_all_asked), asked(panel.delete_everything_asked)
    for action in panel.more.menu().actions():
        action.trigger()
    assert (every, whole) == ([True], [True])
    restored = asked(panel.restore_asked)
    actions = panel.menu().actions()
    assert [action.text() for action in actions] == ["Restore", "Replay", "Copy Settings", "Delete"]
    actions[0].trigger()
    assert restored == [3]


def test_every_control_is_named_for_screen_readers(panel):
    assert panel.list.accessibleName()
    assert panel.more.accessibleName()
    assert all(button.accessibleDescription() for button in (panel.replay, panel.restore, panel.copy, panel.delete))
    assert panel.list.item(0).text().endswith("old words became new words")


def test_a_row_says_when_how_and_from_which_seed():
    assert row_head(FIRST).endswith(" · Fill · seed 7")
    assert row_head(ENTRIES[1]).endswith(" · Continue · 2 places · seed 7 · stopped")
    assert row_sentence(ENTRIES[1]).endswith("nothing became new words")
    assert "mini" in row_tip(FIRST)


def test_a_time_has_its_day_when_it_is_another_one():
    now = datetime.now(UTC)
    assert row_when(replace(FIRST, when=now)) == f"{now.astimezone():%H:%M}"
    assert row_when(FIRST).endswith("May 2020")
    before = now - timedelta(days=1)
    assert row_when(replace(FIRST, when=before)).split()[0] == str(before.astimezone().day)


def test_rows_are_painted_in_every_state(panel, qapp: QApplication):
    panel.show_entries([*ENTRIES, replace(FIRST, id=4, after="", before="x" * 400)])
    assert not panel.grab().isNull()
    panel.focus_first()
    QTest.mouseMove(panel.list.viewport(), panel.list.visualItemRect(panel.list.item(2)).center())
    assert not panel.grab().isNull()
