"""Secrets from files: read whole, or the start is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import Config, load
from adapter.errors import ConfigError

PEPPER = "pepper-pepper-pepper"
KEY = "A" * 43 + "="


def loaded(folder: Path, text: str, **environ: str) -> Config:
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return load(path, environ)


def problem(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, **environ)
    (only,) = caught.value.problems
    return only


def test_every_secret_can_be_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pepper").write_text(PEPPER + "\n")
    (tmp_path / "key").write_text(KEY + "\r\n")
    (tmp_path / "tokens").write_text("new-token\n\n  old-token\n")
    config = loaded(
        tmp_path,
        """
security: {pepper_file: pepper, encryption_keys: [{id: a, key_file: key}]}
twilio: {accounts: [{sid: "*", auth_tokens_file: tokens}]}
""",
    )
    assert config.security.pepper == PEPPER.encode()
    assert config.security.encryption_keys == (("a", bytes(32)),)
    assert config.twilio.accounts[0].auth_tokens == ("new-token", "old-token")


def test_a_variable_can_name_the_file_and_wins_over_either_spelling_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pepper").write_text(PEPPER)
    named = {"ADAPTER_SECURITY__PEPPER_FILE": str(tmp_path / "pepper")}
    assert loaded(tmp_path, "security: {pepper: another-pepper-here}", **named).security.pepper == PEPPER.encode()
    given = {"ADAPTER_SECURITY__PEPPER": PEPPER}
    assert loaded(tmp_path, "security: {pepper_file: nowhere}", **given).security.pepper == PEPPER.encode()
    token = {"ADAPTER_TWILIO__ACCOUNTS__0__AUTH_TOKENS__0": "token"}
    text = "twilio: {accounts: [{sid: '*', auth_tokens_file: nowhere}]}"
    assert loaded(tmp_path, text, **token).twilio.accounts[0].auth_tokens == ("token",)


def test_two_spellings_of_one_secret_are_a_mistake(tmp_path: Path) -> None:
    says = "security.pepper_file: is set and pepper too; keep one of them"
    assert says in problem(tmp_path, f"security: {{pepper: {PEPPER}, pepper_file: x}}")
    both = {"ADAPTER_SECURITY__PEPPER": PEPPER, "ADAPTER_SECURITY__PEPPER_FILE": "x"}
    assert problem(tmp_path, "", **both) == (
        "ADAPTER_SECURITY__PEPPER_FILE: says the same as ADAPTER_SECURITY__PEPPER; keep one of them"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "names no file; write the path of a file that holds the secret"),
        (b"", "names an empty file; write the secret into it"),
        (b" \n", "names an empty file"),
        (b"\xff" * 20, "cannot be read: it is not UTF-8 text"),
        (b"x" * 70_000, "names a file far too long for a secret"),
    ],
    ids=["missing", "empty", "blank", "binary", "long"],
)
def test_a_file_without_a_usable_secret_stops_the_start(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    assert f"config.yaml:1: security.pepper_file: {says}" in problem(tmp_path, "security: {pepper_file: secret}")


def test_an_unreadable_file_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(PEPPER)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    text = "security: {pepper_file: secret}"
    path = tmp_path / "config.yaml"
    path.write_text(text)
    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_bytes", lambda _: text.encode())
    with pytest.raises(ConfigError, match="pepper_file: cannot be read: Permission denied; let this user"):
        load(path, {})


def test_a_missing_file_of_a_needed_secret_is_one_mistake_and_not_two(tmp_path: Path) -> None:
    text = "security: {encryption_keys: [{id: a, key_file: nowhere}]}"
    assert "security.encryption_keys.0.key_file: names no file" in problem(tmp_path, text)


def test_a_path_must_be_a_path_and_an_empty_one_counts_as_not_written(tmp_path: Path) -> None:
    assert "pepper_file: is not the path of a file" in problem(tmp_path, "security: {pepper_file: [a]}")
    assert loaded(tmp_path, "security: {pepper_file: }").security.pepper is None


def test_a_bad_secret_in_a_file_is_told_by_its_setting_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pepper").write_text("se7cret")
    says = problem(tmp_path, "security:\n  pepper_file: pepper")
    assert "config.yaml:2: security.pepper: is too short" in says
    assert "se7cret" not in says


def test_a_secret_can_be_a_credential_of_systemd(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "pepper").write_text(PEPPER)
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    text = "security: {pepper_file: credential:pepper}"
    assert loaded(tmp_path, text, **given).security.pepper == PEPPER.encode()
    named = {"ADAPTER_SECURITY__PEPPER_FILE": "credential:pepper", **given}
    assert loaded(tmp_path, "", **named).security.pepper == PEPPER.encode()


@pytest.mark.parametrize(
    ("named", "directory", "says"),
    [
        ("credential:pepper", None, "names a credential, and there are none: systemd sets CREDENTIALS_DIRECTORY"),
        ("credential:pepper", "credentials", "names no file; write the path of a file that holds the secret"),
        ("credential:", "credentials", "names no credential; write credential: and the name"),
        ("credential:../pepper", "credentials", "names no credential; write credential: and the name"),
        ("credential:..", "credentials", "names no credential; write credential: and the name"),
    ],
)
def test_a_credential_that_is_none_stops_the_start(
    tmp_path: Path, named: str, directory: str | None, says: str
) -> None:
    (tmp_path / "pepper").write_text(PEPPER)
    given = {} if directory is None else {"CREDENTIALS_DIRECTORY": str(tmp_path / directory)}
    assert says in problem(tmp_path, f"security: {{pepper_file: '{named}'}}", **given)


def test_former_peppers_are_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "former").write_text("the-pepper-of-last-year\nthe-pepper-before-that\n")
    config = loaded(tmp_path, "security: {former_peppers_file: former}")
    assert config.security.former_peppers == (b"the-pepper-of-last-year", b"the-pepper-before-that")
