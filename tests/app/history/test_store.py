"""Runs and marks on the disk: found again, limited, forgotten, and safe from damage and from each other."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.history import store as store_module
from app.history.database import HistoryError
from app.history.entries import Around, Kept, Marks
from app.history.store import Store
from app.infill.record import OptionValue, RunRecord
from engine.types import TextSpan

LIMIT = 1_000_000
BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_run(number: int = 0, text: str = "old", after: str = "new") -> Kept:
    options: dict[str, OptionValue] = {
        "mode": "fill",
        "steps": 4,
        "capacity": None,
        "top_p": 0.9,
        "use_cache": True,
        "banned": ("very", "really"),
    }
    run = RunRecord(
        BEGIN + timedelta(minutes=number), "fill", (TextSpan(5, 5 + len(text)),), (text,), (after,), options,
        number, "redraft-mini", 12.5, 7, 1, True,
    )  # fmt: skip
    return Kept(run, (Around("some ", " words"),))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def store(path):
    made = Store(path)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "x.txt"
    made.write_text("some old words")
    return made


def test_a_run_is_kept_whole_and_found_by_its_file(store, file):
    (entry,) = store.add(file, b"1", [a_run()], LIMIT)
    assert store.entries(file) == [entry]
    assert (entry.before, entry.after, entry.seed, entry.spans) == ("old", "new", 0, 1)
    assert entry.is_partial
    assert store.run(entry.id) == a_run()
    assert store.entries(file.with_name("other.txt")) == []


def test_the_newest_run_comes_first(store, file):
    for number in range(3):
        store.add(file, b"1", [a_run(number)], LIMIT)
    assert [entry.seed for entry in store.entries(file)] == [2, 1, 0]


def test_a_list_shows_how_texts_begin_on_one_line(store, file):
    run = replace(
        a_run().run, spans=(TextSpan(0, 1), TextSpan(2, 3)), before=("a\n  b\udc80", "c"), after=("é" * 500, "")
    )
    (entry,) = store.add(file, b"1", [Kept(run)], LIMIT)
    assert entry.before == "a b? … c"
    assert entry.after == "é" * 100
    assert store.run(entry.id).run == run


def test_reading_and_deleting_make_no_file(store, file, path):
    assert store.entries(file) == []
    assert store.opened(file, b"1") is None
    store.saved(file, b"1", None)
    store.delete([1])
    store.delete_all(None)
    assert not path.exists()


def test_the_oldest_go_when_the_limit_is_reached(store, file, path):
    other = file.with_name("other.txt")
    store.add(other, b"2", [a_run(0)], LIMIT)
    for number in range(1, 30):
        store.add(file, b"1", [a_run(number, after="x" * 10_000)], 100_000)
    kept = store.entries(file)
    assert [entry.seed for entry in kept] == list(range(29, 29 - len(kept), -1))
    assert 8 <= len(kept) <= 9
    assert store.entries(other) == []
    store.delete([])
    store.close()
    assert path.stat().st_size < 200_000


def test_a_run_larger_than_the_limit_is_not_kept(store, file):
    assert store.add(file, b"1", [a_run(after="x" * 5_000)], 2_000) == []
    assert store.entries(file) == []


def test_deleted_text_is_nowhere_on_the_disk(store, file, path):
    (one,) = store.add(file, b"1", [a_run(1, after="UNIQUE-ONE")], LIMIT)
    store.add(file, b"1", [a_run(2, after="UNIQUE-TWO")], LIMIT)
    store.delete([one.id])
    assert [entry.seed for entry in store.entries(file)] == [2]
    store.close()
    assert b"UNIQUE-ONE" not in everything_in(path.parent)
    assert b"UNIQUE-TWO" in everything_in(path.parent)
    store.delete_all(file)
    assert b"UNIQUE-TWO" not in everything_in(path.parent)


def everything_in(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_all_runs_of_all_files_can_be_forgotten(store, file):
    other = file.with_name("other.txt")
    store.add(file, b"1", [a_run()], LIMIT)
    store.add(other, b"2", [a_run()], LIMIT)
    store.delete_all(file)
    assert len(store.entries(other)) == 1
    store.delete_all(None)
    assert store.entries(other) == []


def test_a_run_that_is_gone_is_told_in_a_sentence(store, file):
    (entry,) = store.add(file, b"1", [a_run()], LIMIT)
    store.delete([entry.id])
    with pytest.raises(HistoryError, match="no longer in the history"):
        store.run(entry.id)


def test_saving_under_another_name_copies_the_runs(store, file):
    new = file.with_name("new.txt")
    store.add(file, b"1", [a_run(1), a_run(2)], LIMIT)
    store.copy(file, new, b"2", LIMIT)
    assert [entry.seed for entry in store.entries(new)] == [2, 1]
    assert len(store.entries(file)) == 2


def test_a_moved_file_takes_its_runs_and_marks_along(store, file):
    marks = Marks(b"1", "utf-8", (TextSpan(5, 8),))
    store.add(file, b"1", [a_run()], LIMIT)
    store.saved(file, b"1", marks)
    new = file.with_name("moved.txt")
    file.rename(new)
    assert store.opened(new, b"other") is None
    assert store.opened(new, b"1") == marks
    assert len(store.entries(new)) == 1
    assert store.entries(file) == []


def test_a_copy_of_a_file_that_is_still_there_takes_nothing(store, file):
    store.add(file, b"1", [a_run()], LIMIT)
    assert store.opened(file.with_name("copy.txt"), b"1") is None
    assert len(store.entries(file)) == 1


def test_one_file_under_two_names_is_one_document(store, file):
    link = file.with_name("link.txt")
    link.symlink_to(file)
    store.add(link, b"1", [a_run()], LIMIT)
    assert len(store.entries(file)) == 1


def test_a_file_that_was_saved_since_is_still_found_when_it_is_moved(store, file):
    store.add(file, b"1", [a_run()], LIMIT)
    store.saved(file, b"2", None)
    new = file.with_name("moved.txt")
    file.rename(new)
    store.opened(new, b"2")
    assert len(store.entries(new)) == 1


def test_marks_are_replaced_by_the_next_save(store, file):
    store.saved(file, b"1", Marks(b"1", "utf-8", (TextSpan(0, 2),)))
    second = Marks(b"2", "utf-8", (TextSpan(1, 2), TextSpan(4, 9)))
    store.saved(file, b"2", second)
    assert store.opened(file, b"2") == second
    store.saved(file, b"3", None)
    assert store.opened(file, b"3") is None


def test_marks_of_files_not_saved_for_long_are_forgotten(store, file, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_MARKED", 2)
    files = [file.with_name(f"{number}.txt") for number in range(3)]
    for each in (*files, files[1]):
        store.saved(each, b"1", Marks(b"1", "utf-8", ()))
    assert [store.opened(each, b"1") is not None for each in files] == [False, True, True]


@pytest.mark.parametrize("damage", [b"", b"no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_put_aside_and_a_new_one_begun(file, path, damage):
    path.parent.mkdir()
    path.write_bytes(damage)
    store = Store(path)
    assert store.add(file, b"1", [a_run()], LIMIT)
    assert len(store.entries(file)) == 1
    problems = store.take_problems()
    if damage:
        assert len(problems) == 1
        assert "kept as" in problems[0]
        assert path.with_name("history.sqlite3.broken").read_bytes() == damage
    assert store.take_problems() == []
    store.close()


def test_damage_in_the_middle_of_use_is_survived_too(store, file, path):
    store.add(file, b"1", [a_run()], LIMIT)
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xa5" * (len(data) - 100))
    assert store.entries(file) == []
    assert len(store.take_problems()) == 1
    store.close()
    path.write_bytes(b"broken again" * 99)
    assert store.entries(file) == []
    assert sorted(each.name for each in path.parent.glob("*.broken*")) == [
        "history.sqlite3.broken", "history.sqlite3.broken.2",
    ]  # fmt: skip


def test_a_database_with_other_tables_is_put_aside(file, path):
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 1")
    other.close()
    store = Store(path)
    assert store.add(file, b"1", [a_run()], LIMIT)
    assert len(store.take_problems()) == 1
    store.close()


def test_a_newer_redrafts_history_is_left_alone(store, file, path):
    store.add(file, b"1", [a_run()], LIMIT)
    store.close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(HistoryError, match="newer Redraft"):
        store.add(file, b"1", [a_run()], LIMIT)
    assert list(path.parent.glob("*.broken*")) == []


def test_a_run_that_cannot_be_read_is_told_and_can_be_deleted(store, file, path):
    (entry,) = store.add(file, b"1", [a_run()], LIMIT)
    store.close()
    for body in ("no json", "[]", "{}", '{"when": 3}', "[" * 100_000):
        with sqlite3.connect(path) as other:
            other.execute("UPDATE runs SET body = ?", (body,))
        other.close()
        with pytest.raises(HistoryError, match="can no longer be read"):
            store.run(entry.id)
    store.delete([entry.id])
    assert store.entries(file) == []


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(file, tmp_path):
    (tmp_path / "blocked").write_text("a file, not a folder")
    store = Store(tmp_path / "blocked" / "history.sqlite3")
    with pytest.raises(HistoryError, match="Your text is not affected"):
        store.add(file, b"1", [a_run()], LIMIT)


WRITER = """
import sys
from pathlib import Path
from app.history.store import Store
from tests.app.history.test_store import LIMIT, a_run
store = Store(Path(sys.argv[1]))
for number in range(25):
    store.add(Path(sys.argv[2]), b"1", [a_run(number)], LIMIT)
store.close()
"""


def test_two_processes_write_into_one_history(file, path):
    command = [sys.executable, "-c", WRITER, str(path), str(file)]
    root = Path(__file__).parents[3]
    writers = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], errors
    store = Store(path)
    assert sorted(entry.seed for entry in store.entries(file)) == sorted(2 * list(range(25)))
    store.close()
