"""Settings are validated, kept in a file people can edit, and never a reason to crash."""

from __future__ import annotations

import dataclasses

import pytest

from app.settings import SETTINGS, SettingError, Settings
from engine.types import InfillRequest, ModelChoice


@pytest.fixture
def settings(qapp, tmp_path):
    return Settings(tmp_path / "settings.toml")


def reloaded(settings: Settings) -> Settings:
    again = Settings(settings.path)
    again.load()
    return again


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_has_a_valid_default_and_words_for_people(setting):
    assert setting.validated(setting.default) == setting.default
    assert type(setting.default) is setting.type
    assert setting.label
    assert setting.help.endswith(".")
    assert setting.type in (bool, str) or (setting.minimum is not None and setting.maximum is not None)


def test_the_defaults_are_those_of_a_request_and_of_a_model_choice():
    defaults = {setting.key: setting.default for setting in SETTINGS}
    request = {field.name: field.default for field in dataclasses.fields(InfillRequest)}
    choice = {field.name: field.default for field in dataclasses.fields(ModelChoice)}
    for name in ("steps", "alpha_0", "strength", "temperature", "top_p", "seed", "context_order", "sampler"):
        assert defaults[f"infill.{name}"] == request[name]
    for name in ("device", "dtype", "threads"):
        assert defaults[f"engine.{name}"] == choice[name]
    assert defaults["engine.model"] == choice["name"]


def test_setting_a_value_tells_those_who_listen(settings, qtbot):
    with qtbot.waitSignal(settings.changed) as signal:
        settings["infill.alpha_0"] = 1
    assert signal.args == ["infill.alpha_0", 1.0]
    assert isinstance(settings["infill.alpha_0"], float)
    with qtbot.assertNotEmitted(settings.changed):
        settings["infill.alpha_0"] = 1.0


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("infill.steps", 0, "a whole number from 1 to 256"),
        ("infill.steps", 2.5, "a whole number"),
        ("infill.steps", True, "a whole number"),
        ("infill.steps", float("nan"), "a whole number"),
        ("infill.steps", 10**400, "a whole number"),
        ("infill.temperature", float("inf"), "a number from 0 to 2"),
        ("infill.alpha_0", "all", "a number from 0 to 1"),
        ("infill.seed_locked", 1, "true or false"),
        ("engine.device", "gpu", "one of auto, cpu, cuda, mps"),
        ("engine.model", 7, "a text"),
    ],
)
def test_an_odd_value_is_refused_with_what_is_allowed(settings, key, value, sentence):
    with pytest.raises(SettingError, match=sentence):
        settings[key] = value
    assert settings.is_default(key)


def test_a_numbered_graphics_card_is_a_device(settings):
    settings["engine.device"] = "cuda:1"
    assert settings["engine.device"] == "cuda:1"


def test_what_was_set_is_there_at_the_next_start(settings):
    settings["infill.alpha_0"] = 0.25
    settings["editor.wrap"] = False
    settings["engine.model"] = "my “own” model"
    settings.save()
    again = reloaded(settings)
    assert (again["infill.alpha_0"], again["editor.wrap"], again["engine.model"]) == (0.25, False, "my “own” model")
    assert again.problems == []


def test_only_what_differs_from_the_defaults_is_in_the_file(settings):
    settings["infill.steps"] = 8
    settings.save()
    assert settings.path.read_text().strip() == "[infill]\nsteps = 8"
    settings.reset("infill.steps")
    settings.save()
    assert "steps" not in settings.path.read_text()


def test_comments_and_unknown_keys_of_the_file_are_kept(settings):
    settings.path.write_text("# mine\n[infill]\nsteps = 4  # fast\nfuture = 1\n[elsewhere]\nx = 2\n")
    settings.load()
    settings["infill.alpha_0"] = 1.0
    settings.save()
    text = settings.path.read_text()
    assert "# mine" in text
    assert "steps = 4  # fast" in text
    assert "future = 1" in text
    assert "[elsewhere]" in text


def test_an_odd_value_in_the_file_is_told_and_left_there(settings):
    settings.path.write_text("[infill]\nsteps = 'many'\nalpha_0 = 0.75\n")
    settings.load()
    assert (settings["infill.steps"], settings["infill.alpha_0"]) == (16, 0.75)
    assert len(settings.problems) == 1
    assert "infill.steps must be a whole number from 1 to 256" in settings.problems[0]
    settings["infill.alpha_0"] = 0.5
    settings.save()
    assert "steps = 'many'" in settings.path.read_text()
    settings.reset("infill.steps")
    settings.save()
    assert "many" not in settings.path.read_text()


@pytest.mark.parametrize("content", [b"[infill\nsteps = ", b"\xff\xfe\0\x01"])
def test_a_broken_file_gives_the_defaults_and_is_put_aside_before_anything_is_saved(settings, content):
    settings.path.write_bytes(content)
    settings.load()
    assert settings["infill.steps"] == 16
    assert "could not be read" in settings.problems[0]
    assert settings.path.read_bytes() == content
    settings["infill.steps"] = 8
    settings.save()
    assert settings.path.with_name("settings.toml.broken").read_bytes() == content
    assert reloaded(settings)["infill.steps"] == 8


def test_a_section_that_is_no_table_does_no_harm(settings):
    settings.path.write_text("infill = 3\n")
    settings.load()
    settings["infill.steps"] = 8
    settings.save()
    assert reloaded(settings)["infill.steps"] == 8


def test_saving_without_a_change_writes_no_file(settings):
    settings.save()
    assert not settings.path.exists()


def test_the_file_is_in_the_users_configuration_folder(qapp, user_directories):
    settings = Settings()
    settings["infill.steps"] = 8
    settings.save()
    assert (user_directories / "config" / "settings.toml").exists()


def test_a_setting_without_effect_says_why(settings):
    assert settings.why_inert("infill.top_p") is None
    settings["infill.temperature"] = 0
    assert "likeliest" in str(settings.why_inert("infill.top_p"))
    assert "new seed" in str(settings.why_inert("infill.seed"))
