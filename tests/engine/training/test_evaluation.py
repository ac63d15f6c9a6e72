from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.config import read_config
from engine.errors import TrainingError
from engine.tokenization import Tokenizer
from engine.training import evaluation, judging
from engine.training.documents import Document
from engine.training.evaluation import Evaluation, Kind, Way, count_ngrams, evaluate, training_data, weights_digest
from engine.training.kneser_ney import KneserNey
from engine.training.packing import PackingRules
from engine.types import ModelChoice
from tests.engine.tiny import write_checkpoint
from tests.engine.training.small import documents, write_corpus
from tests.engine.training.test_run import losses_of


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    losses_of(write_corpus(tmp_path_factory.mktemp("corpus")), folder, 2)
    return folder


@pytest.fixture(scope="module")
def ngrams(model: Path) -> KneserNey:
    return count_ngrams(documents(8), Tokenizer.load(model, read_config(model).tokenizer_entry()))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "LINE_CAPACITY", 8)
    monkeypatch.setattr(evaluation, "RULES", PackingRules(windows=((64, 1.0),), tasks=evaluation.RULES.tasks))


def measured(model: Path, yardstick: KneserNey | None = None) -> Evaluation:
    choice = ModelChoice(name=str(model), device="cpu", dtype="float32", threads=1)
    return evaluate(choice, model, documents(8), samples=6, questions=2, yardstick=yardstick)


def test_every_measure_is_there_and_a_rerun_gives_the_same(model: Path) -> None:
    found = measured(model)
    assert found == measured(model)
    for kind in Kind:
        assert set(found.bits[kind]) == {Way.ALPHA_0, Way.ALPHA_1, Way.LEFT_TO_RIGHT}
        assert all(1.0 < bits < 20.0 for bits in found.bits[kind].values())
        assert found.hole_bytes[kind] > 0
    assert set(found.lines) == {Way.ALPHA_0, Way.ALPHA_1, Way.LEFT_TO_RIGHT}
    assert set(found.words) == {Way.BOTH_SIDES, Way.LEFT_TO_RIGHT}
    assert (found.line_count, found.word_count) == (2, 2)
    assert found.weights == weights_digest(model)


def test_ngrams_are_counted_in_the_tokenizers_own_ids(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = Tokenizer.load(model, read_config(model).tokenizer_entry())
    seen: list[list[int]] = []
    monkeypatch.setattr(evaluation, "KneserNey", lambda ids, vocab: seen.extend(part.tolist() for part in ids))
    texts = [*documents(4), Document("text", "made", "„Größe“ … 水を飲む. " * 9)]
    count_ngrams(texts, tokenizer)
    assert seen == [tokenizer.encode(document.text) for document in texts]


def test_figures_are_one_json_object_with_plain_keys(model: Path) -> None:
    plain = json.loads(json.dumps(measured(model).as_json()))
    assert set(plain["bits"]) == {"prose", "python"}
    assert set(plain["lines"]) == {"alpha_0_0", "alpha_0_1", "left_to_right"}
    assert set(plain["lines"]["alpha_0_0"]) == {"exact", "parses", "length"}


def test_a_yardstick_that_has_seen_the_text_needs_fewer_bits_than_the_model(model: Path, ngrams: KneserNey) -> None:
    found = measured(model, ngrams)
    for kind in Kind:
        assert 0.0 < found.bits[kind][Way.KNESER_NEY] < found.bits[kind][Way.ALPHA_0]
    assert Way.KNESER_NEY in found.words
    assert Way.KNESER_NEY not in found.lines


def test_a_kind_of_which_nothing_was_held_out_is_left_out(model: Path) -> None:
    code = [document for document in documents(8) if document.is_code]
    choice = ModelChoice(name=str(model), device="cpu", dtype="float32", threads=1)
    found = evaluate(choice, model, code, samples=3, questions=1)
    assert set(found.bits) == {Kind.PYTHON}
    assert (found.word_count, dict(found.words)) == (0, {})


def test_nothing_held_out_is_one_sentence(model: Path) -> None:
    with pytest.raises(TrainingError, match="held out"):
        evaluate(ModelChoice(name=str(model)), model, [])


def test_a_run_knows_the_text_it_was_trained_on(model: Path, tmp_path: Path) -> None:
    told = training_data(model)
    assert told.data is not None
    assert told.data.is_dir()
    assert not told.python
    assert training_data(tmp_path).data is None


@pytest.mark.parametrize("attention", ["causal", "mixed2"])
def test_a_model_trained_for_one_alpha_0_is_bounded_too(tmp_path: Path, attention: str) -> None:
    folder = write_checkpoint(tmp_path, attention=attention, trained_alpha_0=[0.5, 0.5], masks_see_masks=True)
    choice = ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1)
    found = evaluate(choice, folder, documents(4), samples=2, questions=1)
    assert set(found.bounds) == set(Kind)
    mixed = attention == "mixed2"
    assert set(found.bounds[Kind.PROSE]) == {"nelbo"} | (set() if mixed else {"orders_8"})
    assert (Way.ALPHA_0 in found.bits[Kind.PROSE]) is not mixed
