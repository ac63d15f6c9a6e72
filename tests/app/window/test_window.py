"""The whole window, driven as a user would: keys, menus, drops, a run from the key to the file."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QWidget

from app.theme import DARK
from engine.types import TextSpan


def press(desk, key, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(desk.tab.view.surface, key, modifiers)


def test_a_selection_is_filled_live_and_accepted_with_keys_only(desk):
    desk.open("x.txt", "some old words\n")
    desk.tab.view.select([TextSpan(5, 8)])
    press(desk, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert desk.tab.controller.state == "queued"
    assert desk.window.status.stop.isEnabled()
    desk.allow(2)
    assert desk.window.status.engine.text().startswith("Step 2/4 · ")
    assert desk.window.status.progress.isVisible()
    assert desk.tab.view.overlay.is_shown
    assert not desk.tab.document.is_modified
    desk.allow(2)
    assert desk.tab.controller.state == "proposal"
    assert not desk.window.status.stop.isEnabled()
    assert not desk.window.status.progress.isVisible()
    press(desk, Qt.Key.Key_Tab)
    assert desk.tab.view.text() == "some OLD words\n"
    press(desk, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert desk.tab.view.text() == "some old words\n"
    assert not desk.tab.document.is_modified


def test_continue_writes_at_the_caret(desk):
    desk.open("x.txt", "some words")
    desk.tab.view.go_to(1, 11)
    press(desk, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    desk.allow(4)
    press(desk, Qt.Key.Key_Tab)
    assert desk.tab.view.text() == "some wordsWRITTEN ON"


def test_stop_ends_the_run_within_a_step_and_keeps_what_is_revealed(desk):
    desk.open("x.txt", "one two three four five six")
    desk.fill("two three four")
    desk.allow(1)
    desk.window.status.stop.click()
    assert desk.session.run.job.is_cancelled
    desk.allow(1)
    assert desk.tab.controller.state == "proposal"
    assert not desk.window.status.stop.isEnabled()
    press(desk, Qt.Key.Key_Escape)
    assert desk.tab.view.text() == "one two three four five six"
    assert not desk.tab.document.is_modified


def test_a_run_in_another_tab_is_still_shown_and_can_be_stopped(desk):
    desk.open("a.txt", "some old words")
    desk.fill("old")
    desk.allow(1)
    desk.open("b.txt", "other")
    assert desk.window.status.stop.isEnabled()
    desk.allow(1)
    assert desk.window.status.engine.text().startswith("a.txt: Step 2/4")
    desk.window.status.stop.click()
    assert desk.session.run.job.is_cancelled


def test_infill_commands_can_act_only_when_there_is_something_to_act_on(desk):
    assert not desk.window.actions_.of("infill.fill").isEnabled()
    desk.open("x.txt", "some old words")
    assert desk.window.actions_.of("infill.fill").isEnabled()
    assert not desk.window.actions_.of("proposal.accept").isEnabled()
    assert not desk.window.actions_.of("infill.stop").isEnabled()
    desk.fill("old")
    assert desk.window.actions_.of("infill.stop").isEnabled()
    desk.allow(4)
    desk.do("proposal.accept")
    assert desk.tab.view.text() == "some OLD words"


def test_filling_without_a_selection_says_so(desk):
    desk.open("x.txt", "words")
    desk.do("infill.fill")
    assert desk.window.status.message.text()
    assert not desk.session.runs


def test_the_buttons_over_the_settings_do_what_the_menu_does(desk):
    desk.open("x.txt", "some old words")
    desk.tab.view.select([TextSpan(5, 8)])
    button = desk.window.strip.findChild(QWidget, "primary")
    assert "Ctrl+Return" in button.toolTip()
    button.click()
    assert desk.tab.controller.state == "queued"


@pytest.mark.parametrize(("key", "command"), [
    (Qt.Key.Key_N, "file.new"), (Qt.Key.Key_A, "edit.select_all"), (Qt.Key.Key_Plus, "view.larger"),
])  # fmt: skip
def test_keys_reach_their_commands_while_the_text_has_the_focus(desk, key, command):
    desk.open("x.txt", "words")
    desk.tab.view.surface.activateWindow()
    with desk.qtbot.waitSignal(desk.window.actions_.of(command).triggered):
        press(desk, key, Qt.KeyboardModifier.ControlModifier)


def test_tab_still_indents_where_no_proposal_waits(desk):
    desk.open("x.py", "x = 1\n")
    press(desk, Qt.Key.Key_Tab)
    assert desk.tab.view.text() == "    x = 1\n"


def drop_of(paths, kind=QDropEvent):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths] + [QUrl("https://example.org/x.txt")])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    if kind is QDragEnterEvent:
        return data, QDragEnterEvent(QPoint(20, 20), Qt.DropAction.CopyAction, data, left, none)
    return data, QDropEvent(QPointF(20, 20), Qt.DropAction.CopyAction, data, left, none)


def test_files_dropped_on_the_window_are_opened(desk):
    paths = [desk.file("a.txt"), desk.file("b.txt")]
    data, enter = drop_of(paths, QDragEnterEvent)
    QApplication.sendEvent(desk.window, enter)
    assert enter.isAccepted()
    data, drop = drop_of(paths)
    QApplication.sendEvent(desk.window, drop)
    assert [tab.document.title for tab in desk.window.tabs.all] == ["a.txt", "b.txt"]
    assert data.hasUrls()


def test_files_dropped_on_the_text_are_opened_not_inserted(desk):
    tab = desk.open("a.txt", "words")
    _, enter = drop_of([desk.file("b.txt")], QDragEnterEvent)
    data, drop = drop_of([desk.folder / "b.txt"])
    for event in (enter, drop):
        QApplication.sendEvent(tab.view.surface.viewport(), event)
    assert [each.document.title for each in desk.window.tabs.all] == ["a.txt", "b.txt"]
    assert tab.view.text() == "words"
    assert data.hasUrls()


def test_tabs_of_one_name_are_told_apart_and_modified_ones_have_a_dot(desk):
    for folder in ("north", "south"):
        (desk.folder / folder).mkdir()
        desk.open(f"{folder}/a&b.txt", "x")
    tabs = desk.window.tabs
    assert [tabs.tabText(index) for index in (0, 1)] == ["a&&b.txt — north", "a&&b.txt — south"]
    close = tabs.tabBar().tabButton(1, tabs.tabBar().ButtonPosition.RightSide)
    assert close.text() == "×"
    desk.type("y")
    assert close.text() == "●"
    desk.do("edit.undo")
    close.click()
    assert tabs.tabText(0) == "a&&b.txt"


def test_going_through_tabs_wraps_around(desk):
    for name in ("a.txt", "b.txt", "c.txt"):
        desk.open(name)
    desk.do("view.next_tab")
    assert desk.tab.document.title == "a.txt"
    desk.do("view.previous_tab")
    assert desk.tab.document.title == "c.txt"


def test_the_middle_button_closes_a_tab(desk):
    desk.open("a.txt")
    desk.open("b.txt")
    bar = desk.window.tabs.tabBar()
    QTest.mouseClick(bar, Qt.MouseButton.MiddleButton, pos=bar.tabRect(0).center())
    assert [tab.document.title for tab in desk.window.tabs.all] == ["b.txt"]


def test_without_a_document_the_window_says_how_to_open_one(desk):
    assert "Ctrl+O" in desk.window.tabs.hint
    assert not desk.window.tabs.grab().isNull()


def test_the_keyboard_goes_from_the_text_to_the_settings_and_back(desk):
    desk.open("a.txt")
    desk.do("view.next_pane")
    focus = QApplication.focusWidget()
    assert focus is not None
    assert desk.window.panel.isAncestorOf(focus)
    desk.do("view.next_pane")
    assert desk.tab.view.surface.hasFocus()


def test_go_to_line_asks_which(desk):
    desk.open("x.txt", "a\nb\nc")
    desk.asks.answers = [None, 3]
    desk.do("edit.go_to_line")
    desk.do("edit.go_to_line")
    assert desk.asks.asked == ["line to 3"] * 2
    desk.qtbot.waitUntil(lambda: desk.window.status.position.text() == "Ln 3, Col 1")


def test_switches_in_the_view_menu_change_the_settings(desk):
    desk.open("x.txt")
    action = desk.window.actions_.of("view.whitespace")
    action.trigger()
    assert desk.window.settings["editor.show_whitespace"] is True
    assert desk.window.panel.rows["editor.show_whitespace"].control.isChecked()
    desk.do("view.smaller")
    assert desk.window.settings["editor.font_size"] == 10
    desk.do("view.usual_size")
    assert desk.window.settings.is_default("editor.font_size")


def test_the_settings_panel_can_be_hidden(desk):
    assert desk.window.docks.settings_shown()
    desk.do("view.settings")
    assert not desk.window.docks.settings_shown()


def test_a_chosen_theme_colors_the_whole_window_at_once(desk, plain_application):
    desk.open("x.txt")
    desk.window.settings["appearance.theme"] = "dark"
    palette = QApplication.palette()
    assert palette.window().color() == DARK.window
    assert DARK.accent.name() in plain_application.styleSheet()


def test_the_pages_of_the_help_menu_list_every_key_and_say_what_this_is(desk):
    desk.do("help.keys")
    desk.do("help.about")
    pages = desk.window.findChildren(QDialog)
    words = " ".join(label.text() for page in pages for label in page.findChildren(QLabel))
    for text in ("Fill Selection", "Ctrl+Return", "Accept Next Word", "Tab", "F8", "Apache License"):
        assert text in words
    for page in pages:
        assert page.height() <= 0.8 * page.screen().availableSize().height()
        assert all(button.visibleRegion().boundingRect().isValid() for button in page.findChildren(QPushButton))
        page.close()


def test_the_context_menu_offers_infilling_and_editing(desk):
    desk.open("x.txt", "words")
    menu = desk.window.actions_.menu("infill.fill", "", "edit.copy")
    assert [action.text() for action in menu.actions()] == ["Fill Selection", "", "Copy"]
    menu.deleteLater()


def test_every_control_has_a_name_for_screen_readers(desk):
    desk.open("x.txt")
    from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QScrollBar

    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
    nameless = [
        widget
        for widget in desk.window.findChildren(QWidget)
        if isinstance(widget, kinds)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")
        and not type(widget.parent()).__name__.startswith("QTabBar")
        and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]
    assert [f"{type(widget).__name__} {widget.objectName()}" for widget in nameless] == []


def test_the_window_comes_back_in_the_shape_it_had(desk):
    from app.window import shape

    desk.window.resize(620, 510)
    shape.remember(desk.window)
    desk.window.resize(500, 400)
    shape.restore(desk.window)
    assert (desk.window.width(), desk.window.height()) == (620, 510)


@pytest.mark.parametrize(
    "content", [b"\xff", b"[window", b"[window]\ngeometry = 'no base64!'\n", b"[window]\ngeometry = 3\n"]
)
def test_a_broken_memory_of_the_shape_does_no_harm(desk, content):
    from app import paths
    from app.window import shape

    paths.state_file().write_bytes(content)
    shape.restore(desk.window)
    assert desk.window.width() > 500
