"""What the commands of the Infill menu ask the engine for."""

from __future__ import annotations

import pytest

from engine.types import Mode, TextSpan
from tests.engine.tiny import write_checkpoint


@pytest.mark.parametrize(("command", "key", "factor"), [
    ("infill.longer", "infill.longer", 2.0), ("infill.shorter", "infill.shorter", 0.5),
])  # fmt: skip
def test_longer_and_shorter_take_the_factor_of_the_settings(desk, command, key, factor):
    desk.open("a.txt", "one two three")
    desk.window.settings[key] = factor
    desk.tab.view.select([TextSpan(4, 7)])
    desk.do(command)
    request = desk.session.run.request
    assert (request.mode, request.length_factor) == (Mode.FILL, factor)
    assert request.spans == (TextSpan(4, 7),)


def test_inserting_leaves_a_selection_alone(desk):
    desk.open("a.txt", "one two three")
    desk.tab.view.select([TextSpan(4, 7)])
    desk.do("infill.insert")
    request = desk.session.run.request
    assert (request.mode, request.spans) == (Mode.FILL, (TextSpan(7, 7),))
    desk.allow(4)
    desk.tab.controller.proposals.accept()
    assert desk.tab.view.text() == "one twoWRITTEN ON three"


def test_joining_where_nothing_follows_says_what_is_missing(desk):
    desk.open("a.txt", "One.\n\n")
    desk.tab.view.go_to(3, 1)
    desk.do("infill.join")
    assert not desk.session.runs
    assert "between the two passages" in desk.window.status.message.text()


def test_a_folder_without_a_model_is_refused_in_one_sentence(desk, tmp_path):
    desk.asks.answers += [tmp_path, None]
    desk.window.panel.folder_asked.emit()
    assert desk.window.settings.is_default("engine.model")
    assert "config.json is missing" in desk.window.notices.text
    desk.window.panel.folder_asked.emit()
    assert desk.window.settings.is_default("engine.model")


def test_a_folder_with_a_model_is_taken(desk, tmp_path):
    folder = write_checkpoint(tmp_path / "mine")
    desk.asks.answers.append(folder)
    desk.window.panel.folder_asked.emit()
    assert desk.window.settings["engine.model"] == str(folder)
    desk.window.engine.close_down()
