"""The history as the window uses it: answers come later, off keeps nothing, unsaved documents wait for a name."""

from __future__ import annotations

import threading

import pytest

from app.document.document import Document
from app.history import History, Marks
from app.paths import history_file
from engine.types import TextSpan
from tests.app.history.test_store import a_run


def entries(history, document):
    answers: list[list[object]] = []
    history.entries(document, answers.append)
    assert history.finish()
    (found,) = answers
    return found


def test_a_run_is_listed_and_given_back(history, a_document):
    document = a_document()
    told: list[object] = []
    history.changed.connect(told.append)
    history.add(document, a_run(3))
    (entry,) = entries(history, document)
    assert told == [document]
    answers: list[object] = []
    history.run(document, entry.id, answers.append)
    history.finish()
    assert answers == [a_run(3)]


def test_an_answer_comes_by_itself(history, a_document, qtbot):
    with qtbot.waitSignal(history.changed):
        history.add(a_document(), a_run())


def test_switched_off_nothing_is_written_nor_kept(history, a_document, settings):
    settings["history.enabled"] = False
    settings["history.keep_marks"] = False
    document, unnamed = a_document(), a_document(None)
    history.add(document, a_run())
    history.add(unnamed, a_run())
    history.saved(document, Marks(b"1", "utf-8", (TextSpan(0, 1),)), None)
    assert entries(history, document) == []
    assert entries(history, unnamed) == []
    assert not history_file().exists()


def test_switched_off_what_was_kept_can_be_read_and_deleted(history, a_document, settings):
    document = a_document()
    history.add(document, a_run())
    settings["history.enabled"] = False
    history.add(document, a_run())
    (entry,) = entries(history, document)
    history.delete(document, [entry.id])
    assert entries(history, document) == []


def test_a_document_without_a_file_keeps_its_runs_in_memory_until_it_is_saved(history, a_document, tmp_path):
    document = a_document(None)
    history.add(document, a_run(1))
    history.add(document, a_run(2))
    listed = entries(history, document)
    assert [entry.seed for entry in listed] == [2, 1]
    assert not history_file().exists()
    answers: list[object] = []
    history.run(document, listed[1].id, answers.append)
    assert answers == [a_run(1)]
    document.save("text", tmp_path / "named.txt")
    history.saved(document, None, None)
    assert [entry.seed for entry in entries(history, document)] == [2, 1]
    assert [entry.seed for entry in entries(history, a_document("named.txt"))] == [2, 1]


def test_runs_of_a_document_that_is_switched_off_before_its_first_save_are_dropped(
    history, a_document, settings, tmp_path
):
    document = a_document(None)
    history.add(document, a_run())
    settings["history.enabled"] = False
    document.save("text", tmp_path / "named.txt")
    history.saved(document, None, None)
    assert entries(history, document) == []


def test_a_file_that_is_not_made_yet_keeps_its_runs_until_it_is(history, tmp_path):
    document = Document()
    document.begin(tmp_path / "new.txt")
    history.add(document, a_run())
    assert len(entries(history, document)) == 1
    assert not history_file().exists()
    document.save("text")
    history.saved(document, None, None)
    assert len(entries(history, document)) == 1
    assert history_file().exists()


def test_runs_can_be_deleted_one_and_all_with_and_without_a_file(history, a_document):
    for document in (a_document(), a_document(None)):
        for number in range(3):
            history.add(document, a_run(number))
        listed = entries(history, document)
        history.delete(document, [listed[0].id])
        assert entries(history, document) == listed[1:]
        history.delete_all(document)
        assert entries(history, document) == []


def test_everything_can_be_forgotten_at_once(history, a_document):
    one, two, unnamed = a_document("1.txt"), a_document("2.txt"), a_document(None)
    for document in (one, two, unnamed):
        history.add(document, a_run())
    history.delete_all(None)
    assert [entries(history, document) for document in (one, two, unnamed)] == [[], [], []]


def test_saving_elsewhere_takes_the_runs_along(history, a_document, tmp_path):
    document = a_document()
    history.add(document, a_run())
    old = document.path
    document.save("text", tmp_path / "elsewhere.txt")
    history.saved(document, None, old)
    assert len(entries(history, document)) == 1


def test_the_limit_of_the_settings_holds(history, a_document, settings):
    settings["history.limit_mb"] = 1
    document = a_document()
    for number in range(8):
        history.add(document, a_run(number, after="x" * 300_000))
    assert [entry.seed for entry in entries(history, document)] == [7, 6, 5]


def marks_of(history, document):
    answers: list[Marks | None] = []
    history.opened(document, answers.append)
    history.finish()
    return answers[0]


def test_marks_come_back_for_the_same_bytes_in_the_same_encoding_only(history, a_document, tmp_path):
    document = a_document()
    marks = Marks(document.digest, "utf-8", (TextSpan(5, 8),))
    history.saved(document, marks, None)
    assert marks_of(history, a_document("x.txt")) == marks
    assert marks_of(history, a_document("x.txt", "other text")) is None
    document = a_document("x.txt")
    document.encoding = "cp1252"
    assert marks_of(history, document) is None


def test_what_was_ordered_before_closing_is_still_kept(qtbot, settings, a_document):
    document = a_document()
    first = History(settings)
    for number in range(20):
        first.add(document, a_run(number))
    assert first.close()
    second = History(settings)
    assert len(entries(second, document)) == 20
    assert second.close()


def test_nothing_is_delivered_after_closing(qtbot, settings, a_document):
    history = History(settings)
    answers: list[object] = []
    history.entries(a_document(), answers.append)
    assert history.close()
    history.entries(a_document(), answers.append)
    qtbot.wait(1)
    assert answers == []


def test_without_any_file_no_thread_is_begun(qtbot, settings, a_document):
    before = threading.active_count()
    history = History(settings)
    history.add(a_document(None), a_run())
    assert threading.active_count() == before
    assert history.close()


def test_a_damaged_history_is_told_in_one_sentence_and_begun_anew(history, a_document):
    history_file().write_bytes(b"not a database" * 100)
    told: list[str] = []
    history.failed.connect(told.append)
    document = a_document()
    history.add(document, a_run())
    assert len(entries(history, document)) == 1
    assert len(told) == 1
    assert told[0].count(".") >= 1
    assert "\n" not in told[0]


def test_a_disk_that_fails_is_told_once(qtbot, settings, a_document, tmp_path):
    (tmp_path / "blocked").write_text("")
    history = History(settings, path=tmp_path / "blocked" / "history.sqlite3")
    told: list[str] = []
    history.failed.connect(told.append)
    for number in range(3):
        history.add(a_document(), a_run(number))
    history.finish()
    assert len(told) == 1
    assert history.close()


def test_an_unexpected_error_ends_neither_thread_nor_history(history, a_document, monkeypatch, caplog):
    document = a_document()
    told: list[str] = []
    history.failed.connect(told.append)
    with monkeypatch.context() as patch:
        patch.setattr("app.history.store.Store.add", lambda *_: 1 / 0)
        history.add(document, a_run())
        history.finish()
    assert len(told) == 1
    assert "ZeroDivisionError" in told[0]
    history.add(document, a_run())
    assert len(entries(history, document)) == 1


@pytest.mark.parametrize("asked", [1, -1])
def test_a_run_that_is_gone_is_told_every_time_it_is_asked_for(history, a_document, asked):
    document = a_document()
    told: list[str] = []
    history.failed.connect(told.append)
    for _ in range(2):
        history.run(document, asked, lambda _: pytest.fail("there is no run"))
        history.finish()
    assert len(told) == 2
