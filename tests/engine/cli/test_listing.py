"""`redraft models`."""

from __future__ import annotations

import json

from engine.cli import main
from engine.models import registry
from tests.engine.tiny import write_checkpoint


def test_the_bundled_model_is_listed_with_its_folder(capsys):
    assert main(["models"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("redraft-mini\t")]
    assert "esolm" in line
    assert line.endswith("redraft-mini")


def test_the_list_as_json_is_the_last_line(capsys):
    assert main(["models", "--json"]) == 0
    (model,) = json.loads(capsys.readouterr().out.splitlines()[-1])["models"]
    assert model["name"] == "redraft-mini"
    assert model["context_length"] > 0
    assert 0 <= model["trained_alpha_0"][0] <= model["trained_alpha_0"][1] <= 1


def test_both_variants_of_attention_are_told_apart(tmp_path, monkeypatch, capsys):
    for name, attention in (("along", "causal"), ("both-ways", "mixed2")):
        write_checkpoint(tmp_path / name, attention=attention)
    monkeypatch.setattr(registry, "known_models", lambda: ["along", "both-ways"])
    monkeypatch.setattr(registry, "find", lambda name: tmp_path / name)
    assert main(["models"]) == 0
    along, both_ways = capsys.readouterr().out.splitlines()
    assert along.startswith("along\tesolm (B), 256 tokens")
    assert both_ways.startswith("both-ways\tesolm (A), 256 tokens")
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out.splitlines()[-1])["models"]
    assert [model["attention"] for model in listed] == ["causal", "mixed2"]


def test_a_broken_model_is_a_sentence_and_hides_no_other(tmp_path, monkeypatch, capsys):
    write_checkpoint(tmp_path / "good")
    write_checkpoint(tmp_path / "broken").joinpath("config.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(registry, "known_models", lambda: ["broken", "good"])
    monkeypatch.setattr(registry, "find", lambda name: tmp_path / name)
    assert main(["models"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("good\t")
    assert printed.out.count("\n") == printed.err.count("\n") == 1


def test_without_any_model_it_says_how_to_name_one(monkeypatch, capsys):
    monkeypatch.setattr(registry, "known_models", list)
    assert main(["models"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "No model is installed; give the folder of one with --model.\n")
