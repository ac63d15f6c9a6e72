"""The status bar shows what it is told, and Stop is always there."""

from __future__ import annotations

import pytest

from app.statusbar import StatusBar


@pytest.fixture
def bar(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar, before_close_func=StatusBar.close_down)
    bar.resize(900, 30)
    bar.show()
    return bar


def test_stop_is_always_visible_and_enabled_while_something_runs(bar, qtbot):
    assert bar.stop.isVisible()
    assert not bar.stop.isEnabled()
    bar.set_running(True)
    assert bar.stop.isEnabled()
    with qtbot.waitSignal(bar.stop_clicked):
        bar.stop.click()
    bar.set_running(False)
    assert bar.stop.isVisible()
    assert not bar.stop.isEnabled()


def test_progress_is_shown_only_while_there_is_some(bar):
    assert not bar.progress.isVisible()
    bar.show_progress(3, 16)
    assert (bar.progress.isVisible(), bar.progress.value(), bar.progress.maximum()) == (True, 3, 16)
    bar.show_progress(0, 0)
    assert not bar.progress.isVisible()


def test_a_message_goes_away_after_a_while(bar):
    bar.show_message("Saved x.txt.")
    assert bar.message.text() == "Saved x.txt."
    bar._clearing.timeout.emit()
    assert bar.message.text() == ""


def test_the_engines_state_is_more_than_a_color(bar):
    bar.show_engine("The model is broken.", "failed")
    assert (bar.engine.text(), bar.engine.toolTip()) == ("The model is broken.", "The model is broken.")
    assert bar.engine.property("state") == "failed"


def test_a_long_message_takes_no_room_from_the_rest(bar):
    bar.show_message("word " * 200)
    assert bar.width() == 900
    assert bar.stop.isVisible()
    assert bar.stop.geometry().right() < 900


def test_a_long_sentence_of_the_engine_does_not_widen_the_window(bar):
    bar.show_engine("The model “x” could not be loaded. " * 20, "failed")
    assert bar.minimumSizeHint().width() < 900
    assert bar.engine.text() == bar.engine.toolTip()
    assert not bar.grab().isNull()


def test_everything_has_a_name_for_screen_readers(bar):
    for widget in (bar.stop, bar.progress, bar.language, bar.encoding, bar.position, bar.engine, bar.message):
        assert widget.accessibleName()


@pytest.mark.parametrize("width", [1200, 900, 640])
def test_stop_stays_on_the_screen_during_a_run_however_narrow_the_window(bar, width):
    bar.resize(width, 30)
    bar.language.setText("Markdown")
    bar.encoding.setText("UTF-8 with BOM")
    bar.position.setText("Ln 1234, Col 56")
    bar.counts.setText("12,345 selected in 3 places")
    bar.show_engine("long name.md: Step 121/175 · 10 s left · 5 tok/s · NFE 121 · context 1,000 reused, 24 new", "busy")
    bar.show_progress(3, 16)
    bar.show_runs(3)
    bar.set_running(True)
    bar.layout().activate()
    assert bar.stop.isVisible()
    assert bar.stop.mapTo(bar, bar.stop.rect().topRight()).x() < width
