"""What is found in a text, in the offsets of the text as it is, and what replaces it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor import search
from app.editor.search import BadPatternError, Haystack, Matches, Query, Search, SearchJob, compile_query


def found(text, term, within=None, **how):
    matches = Search(SearchJob(Query(term, **how), within), Haystack(text)).run().matches
    return [text[start:end] for start, end in map(matches.__getitem__, range(len(matches)))]


def places(text, term, within=None, **how):
    matches = Search(SearchJob(Query(term, **how), within), Haystack(text)).run().matches
    return [matches[index] for index in range(len(matches))]


def replaced(text, term, template, within=None, only=None, **how):
    looked = Search(SearchJob(Query(term, **how), within, template, only), Haystack(text)).run()
    for index in reversed(range(len(looked.matches))):
        start, end = looked.matches[index]
        text = text[:start] + looked.texts[index] + text[end:]
    return text


def test_a_term_is_found_as_it_is_in_any_case():
    assert found("A.b a.B axb", "a.b") == ["A.b", "a.B"]
    assert found("A.b a.B axb", "a.b", match_case=True) == []
    assert found("Über ÜBER über", "über") == ["Über", "ÜBER", "über"]


def test_offsets_are_code_points_however_wide_a_character_is():
    assert places("😀 naïve 日本 naïve", "naïve") == [(2, 7), (11, 16)]


def test_places_do_not_overlap():
    assert places("aaaa", "aa") == [(0, 2), (2, 4)]


class TestWholeWords:
    def test_a_term_inside_a_word_is_none(self):
        assert places("cat concat cats cat_1 cat", "cat", whole_word=True) == [(0, 3), (22, 25)]

    def test_letters_of_all_scripts_make_words(self):
        assert found("naïve naïveté ïve", "ïve", whole_word=True) == ["ïve"]

    @pytest.mark.parametrize("text", ["Anna's hat", "Anna’s hat", "l'Anna", "'Anna'", "f'Anna'"])
    def test_an_apostrophe_ends_a_word(self, text):
        assert found(text, "Anna", whole_word=True) == ["Anna"]

    @pytest.mark.parametrize("mark", ["'", "’"])
    def test_a_negation_is_one_word(self, mark):
        text = f"I don{mark}t, you CAN{mark}T"
        for term in ("don", "t", "can"):
            assert found(text, term, whole_word=True) == []
        assert found(text, f"don{mark}t", whole_word=True) == [f"don{mark}t"]

    def test_a_term_of_signs_has_no_words_to_be_in(self):
        assert found("a+=b += c", "+=", whole_word=True) == ["+=", "+="]

    def test_a_pattern_may_find_a_longer_word_instead(self):
        assert found("foobar foo", "foo|foobar", whole_word=True, is_regex=True) == ["foobar", "foo"]

    def test_flags_and_comments_of_a_pattern_do_no_harm(self):
        assert found("cat concat", "(?x) c a t # purrs", whole_word=True, is_regex=True) == ["cat"]

    def test_the_end_of_what_is_searched_ends_no_word(self):
        assert found("concat cats", "cat", within=((3, 10),), whole_word=True) == []


class TestRegularExpressions:
    def test_lines_begin_and_end_at_line_ends(self):
        assert places("a b\na\nb a", "^a|a$", is_regex=True) == [(0, 1), (4, 5), (8, 9)]

    def test_places_of_no_length_are_found_once(self):
        assert places("ab\n\nc", "^", is_regex=True) == [(0, 0), (3, 3), (4, 4)]
        assert places("aab", "a*", is_regex=True) == [(0, 2), (2, 2), (3, 3)]

    @pytest.mark.parametrize(("pattern", "why"), [
        ("(", "missing ) (character 1)"), ("a[", "unterminated character set (character 2)"),
        ("a{99999999999}", "a number in it is too large"), ("*", "nothing to repeat (character 1)"),
    ])  # fmt: skip
    def test_what_is_no_pattern_is_refused_in_a_sentence(self, pattern, why):
        with pytest.raises(BadPatternError, match=re.escape(f"This is no pattern: {why}.")):
            compile_query(Query(pattern, is_regex=True))

    def test_a_doubtful_set_is_no_warning(self):
        assert found("a[[b", "[[a]+", is_regex=True) == ["a[["]


class TestLineEnds:
    TEXT = "one\r\ntwo\r\n\r\nthree\rfour\n"

    def test_are_one_character_to_a_pattern(self):
        assert found(self.TEXT, r"^\w+$", is_regex=True) == ["one", "two", "three", "four"]
        assert found(self.TEXT, r"one\ntwo", is_regex=True) == ["one\r\ntwo"]
        assert found(self.TEXT, ".*e", is_regex=True) == ["one", "three"]

    def test_are_never_cut(self):
        assert found(self.TEXT, r"\n", is_regex=True) == ["\r\n", "\r\n", "\r\n", "\r", "\n"]

    def test_count_as_they_are_where_only_a_part_is_searched(self):
        assert places(self.TEXT, "t", within=((4, 12),)) == [(5, 6)]
        assert places(self.TEXT, "t", within=((5, 13),)) == [(5, 6), (12, 13)]

    @given(st.text(alphabet="a\r\n", max_size=12))
    def test_every_place_has_its_offset(self, text):
        haystack = Haystack(text)
        assert haystack.offset(len(haystack.text)) == len(text)
        for index in range(len(haystack.text) + 1):
            offset = haystack.offset(index)
            assert haystack.index(offset) == index
            assert not (0 < offset < len(text) and text[offset - 1 : offset + 1] == "\r\n")
        for offset in range(len(text) + 1):
            between = 0 < offset < len(text) and text[offset - 1 : offset + 1] == "\r\n"
            assert haystack.offset(haystack.index(offset)) == offset - between


class TestReplacing:
    def test_a_plain_replacement_is_written_as_it_is(self):
        assert replaced("a.b", ".", r"\1") == r"a\1b"

    def test_groups_are_written_by_number_and_name(self):
        assert replaced("one two", r"(\w+) (?P<last>\w+)", r"\g<last> \1", is_regex=True) == "two one"

    def test_a_group_that_took_no_part_is_nothing(self):
        assert replaced("ac", "a(b)?c", r"[\1]", is_regex=True) == "[]"

    def test_places_of_no_length_are_filled(self):
        assert replaced("a\r\nb", "^", "> ", is_regex=True) == "> a\r\n> b"

    @pytest.mark.parametrize("template", [r"\2", r"\g<none>", r"\q", "\\"])
    def test_what_is_no_replacement_is_refused_in_a_sentence(self, template):
        with pytest.raises(BadPatternError, match=r"^This cannot be a replacement: .*\.$"):
            replaced("a", "(a)", template, is_regex=True)

    def test_one_place_alone(self):
        assert replaced("a-b a-b", r"(\w)-(\w)", r"\2-\1", only=(4, 7), is_regex=True) == "a-b b-a"

    def test_only_within_what_is_searched(self):
        assert replaced("aaaa", "a", "b", within=((1, 2), (3, 4))) == "abab"


def test_matches_are_gone_through():
    matches = Matches()
    for start, end in ((2, 4), (4, 4), (6, 8)):
        matches.starts.append(start)
        matches.ends.append(end)
    assert [matches.first_from(offset) for offset in (0, 3, 5, 7)] == [0, 1, 2, None]
    assert [matches.last_before(offset) for offset in (3, 4, 7, 9)] == [None, 1, 1, 2]
    assert [matches.index_of(place) for place in ((2, 4), (4, 4), (2, 3), (6, 8), (9, 9))] == [0, 1, None, 2, None]
    assert list(matches.between(3, 7)) == [0, 1, 2]
    assert list(matches.between(8, 9)) == []


class TestOneOfThem:
    def test_a_place_behind_an_empty_one_is_the_one_that_was_asked_for(self):
        assert places("foo", r"\b|foo", is_regex=True) == [(0, 0), (0, 3), (3, 3)]
        assert replaced("foo", r"\b|foo", "x", only=(0, 3), is_regex=True) == "x"
        assert replaced("foo", r"\b|foo", "x", only=(0, 0), is_regex=True) == "xfoo"

    def test_a_place_that_is_none_is_left(self):
        assert replaced("banana", "an", "x", only=(2, 4)) == "banana"
        assert replaced("banana", "an", "x", only=(1, 2)) == "banana"


def test_flags_that_contradict_one_another_are_told_of_in_a_sentence():
    with pytest.raises(BadPatternError, match="incompatible"):
        compile_query(Query("(?a)(?u)x", is_regex=True))


class TestInStretches:
    @given(
        st.text("ab' t\n", max_size=60),
        st.text("ab't", min_size=1, max_size=4),
        st.booleans(),
        st.integers(1, 7),
        st.integers(0, 20),
    )
    def test_words_are_the_same_however_long_a_stretch_is(self, text, term, whole_word, stretch, cut):
        within = ((min(cut, len(text)), len(text) - min(cut, len(text)) // 3),) if cut < len(text) // 2 else None
        expected = places(text, term, within, whole_word=whole_word)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search, "_STRETCH", stretch)
            assert places(text, term, within, whole_word=whole_word) == expected

    def test_a_long_text_without_the_word_is_searched_step_by_step(self):
        looked = Search(SearchJob(Query("zebra", whole_word=True)), Haystack("horse " * 50_000))
        assert sum(1 for _ in looked.steps()) > 5
        assert len(looked.matches) == 0
