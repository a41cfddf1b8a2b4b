from __future__ import annotations

from pathlib import Path

import pytest

from modelport.config import Setting, config_path, load_settings
from modelport.errors import ConfigError

SETTINGS = (
    Setting("url", ("MODELPORT_X_URL", "OLD_URL")),
    Setting("user", ("MODELPORT_X_USER", "OLD_USER")),
    Setting("password", ("MODELPORT_X_PASSWORD",), secret=True),
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        '[profiles.default.x]\nurl = "http://default"\nuser = "dora"\n[profiles.work.x]\nurl = "http://work"\n'
    )
    return path


def load(config: Path | None, profile: str | None = None, **environ: str) -> dict[str, str]:
    given = {} if config is None else {"MODELPORT_CONFIG": str(config)}
    return load_settings("x", SETTINGS, profile=profile, environ={"HOME": "/nowhere", **given, **environ})


def test_our_variable_wins_over_the_old_one(config: Path) -> None:
    assert load(config, MODELPORT_X_URL="http://ours", OLD_URL="http://old")["url"] == "http://ours"
    assert load(config, OLD_URL="http://old")["url"] == "http://old"


def test_the_default_profile_fills_what_the_environment_leaves_open(config: Path) -> None:
    assert load(config, OLD_URL="http://old") == {"url": "http://old", "user": "dora"}


def test_a_profile_asked_for_takes_only_secrets_from_the_environment(config: Path) -> None:
    found = load(config, "work", OLD_URL="http://old", OLD_USER="eve", MODELPORT_X_PASSWORD="pw")

    assert found == {"url": "http://work", "password": "pw"}
    assert load(config, MODELPORT_PROFILE="work", OLD_URL="http://old") == {"url": "http://work"}


def test_a_profile_that_is_not_there_fails_and_names_those_that_are(config: Path) -> None:
    with pytest.raises(ConfigError, match="has no profile 'home'; it has: default, work"):
        load(config, "home")


def test_a_profile_without_the_platform_fails(config: Path) -> None:
    with pytest.raises(ConfigError, match="no table for y"):
        load_settings("y", SETTINGS, profile="work", environ={"MODELPORT_CONFIG": str(config)})


def test_a_missing_file_fails_only_if_it_was_asked_for(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}

    assert load_settings("x", SETTINGS, environ=environ) == {}
    for asked in ({"MODELPORT_CONFIG": str(tmp_path / "no.toml")}, {**environ, "MODELPORT_PROFILE": "work"}):
        with pytest.raises(ConfigError, match="there is no file"):
            load_settings("x", SETTINGS, environ=asked)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[profiles", "not TOML"),
        ("profiles = 3", "profiles must be a table"),
        ("[profiles]\ndefault = 3", "default must be a table"),
        ('[profiles.default.x]\nurll = "a"', "unknown keys: urll; known are: url, user, password"),
        ("[profiles.default.x]\nuser = 3", "user must be text in quotes"),
    ],
)
def test_a_file_that_is_wrong_says_what(config: Path, text: str, message: str) -> None:
    config.write_text(text)

    with pytest.raises(ConfigError, match=message):
        load(config)


def test_secrets_that_others_can_read_are_refused(config: Path) -> None:
    config.write_text('[profiles.default.x]\npassword = "hush"\n')
    config.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        load(config)
    assert "hush" not in str(caught.value)

    config.chmod(0o600)
    assert load(config) == {"password": "hush"}


def test_the_file_is_looked_for_where_the_variables_say() -> None:
    assert config_path({"MODELPORT_CONFIG": "/a/b.toml"}) == Path("/a/b.toml")
    assert config_path({"XDG_CONFIG_HOME": "/x"}) == Path("/x/modelport/config.toml")
    assert config_path({}).parts[-3:] == (".config", "modelport", "config.toml")
