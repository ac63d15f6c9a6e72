from __future__ import annotations

from app.infill.unified import unified_diff

LINES = "".join(f"line {number}\n" for number in range(1, 21))


def test_changes_are_shown_with_three_lines_around_them_and_true_line_numbers():
    start = LINES.index("line 10")
    diff = unified_diff(LINES, [(start, start + 7, "line ten")], "a.txt")
    assert diff == (
        "--- a/a.txt\n+++ b/a.txt\n@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+line ten\n"
        " line 11\n line 12\n line 13\n"
    )


def test_changes_far_apart_are_hunks_of_their_own():
    first, last = LINES.index("line 2\n"), LINES.index("line 19")
    diff = unified_diff(LINES, [(first, first + 6, "x"), (last, last + 7, "y\nz")], "a")
    assert diff.count("@@ -") == 2
    assert "@@ -1,5 +1,5 @@" in diff
    assert "@@ -16,5 +16,6 @@" in diff


def test_a_last_line_without_an_end_is_marked():
    diff = unified_diff("a\nb", [(2, 3, "c")], "x")
    assert diff.endswith("-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n")


def test_line_ends_of_any_kind_are_shown_as_one():
    assert "-b\n+c\n" in unified_diff("a\r\nb\r\n", [(3, 4, "c")], "x")


def test_nothing_proposed_is_no_diff():
    assert unified_diff(LINES, [], "x") == ""
    assert unified_diff(LINES, [(0, 4, "line")], "x") == ""
