"""Notices stay until they are read, one after the other."""

from __future__ import annotations

import pytest

from app.window.notices import NoticeBar


@pytest.fixture
def bar(qtbot):
    bar = NoticeBar()
    qtbot.addWidget(bar)
    return bar


def test_an_older_notice_comes_back_when_the_newer_is_closed(bar):
    assert bar.isHidden()
    bar.tell("One.")
    bar.tell("Two.")
    bar.tell("Two.")
    assert bar.text == "Two."
    bar.closer.click()
    assert (bar.text, bar.isHidden()) == ("One.", False)
    bar.closer.click()
    assert (bar.text, bar.isHidden()) == ("", True)


def test_the_button_does_what_it_offers_and_closes_the_notice(bar):
    done: list[str] = []
    bar.tell("One.", "Save As…", lambda: done.append("saved"))
    assert (bar.button.text(), bar.button.isHidden()) == ("Save As…", False)
    bar.button.click()
    assert done == ["saved"]
    assert bar.text == ""
    bar.tell("Two.")
    assert bar.button.isHidden()
