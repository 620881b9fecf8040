"""A file and variables become one configuration; what is wrong is said with its place and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import Config, TierConfig, TwilioAccount, find, load
from adapter.engine.line import Destination, DestinationKind
from adapter.engine.model import Mode, Plan, Tier
from adapter.engine.policy import DEFAULT_TIERS
from adapter.errors import ConfigError

ACCOUNT = "AC" + "0" * 32
PHONE = """
twilio:
  public_url: https://calls.example.com
  accounts:
    - {sid: "*", auth_tokens: [abcdefgh]}
lines:
  - number: +14155550100
    destination: hangup
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return path


def loaded(folder: Path, text: str, **environ: str) -> Config:
    return load(written(folder, text), environ)


def problems(folder: Path, text: str, **environ: str) -> list[str]:
    """What is wrong, without the folder's name."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, **environ)
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def problem(folder: Path, text: str, **environ: str) -> str:
    (only,) = problems(folder, text, **environ)
    return only


def test_nothing_written_is_the_default_configuration(tmp_path: Path) -> None:
    assert load(None, {}) == Config() == loaded(tmp_path, "") == loaded(tmp_path, "lines:\nserver:\n  bind:\n")


def test_the_default_organization_is_on_the_free_tier() -> None:
    (organization,) = load(None, {}).organizations
    assert (organization.id, organization.tier) == ("default", Tier("free", 100))
    assert organization.plan == Plan("ba_37a8eec1ce19", 1_000, 1)


def test_an_organization_has_its_tiers_month_unless_it_has_its_own(tmp_path: Path) -> None:
    text = "organizations: [{id: a, tier: growth}, {id: b, monthly: unlimited, billing_day: 31, billing_account: ba_x}]"
    first, second = loaded(tmp_path, text).organizations
    assert (first.tier, first.plan.monthly) == (Tier("growth", 3_000), 100_000)
    assert (second.tier, second.plan) == (Tier("free", 100), Plan("ba_x", None, 31))


def test_a_tier_can_be_changed_in_part_and_added_whole(tmp_path: Path) -> None:
    config = loaded(tmp_path, "tiers: {free: {per_minute: 5}, gold: {per_minute: unlimited, monthly: 7}}")
    assert config.tiers == {
        **{name: TierConfig(*amounts) for name, amounts in DEFAULT_TIERS.items()},
        "free": TierConfig(5, 1_000),
        "gold": TierConfig(None, 7),
    }
    assert config.organizations[0].tier == Tier("free", 5)


def test_a_line_has_defaults_and_the_only_organization(tmp_path: Path) -> None:
    (line,) = loaded(tmp_path, PHONE).lines
    assert (line.account, line.number, line.organization, line.mode) == ("*", "+14155550100", "default", Mode.PROD)
    assert (line.language, line.voice, line.strict_caller_id, line.name_variable) == ("en-US", None, False, "name")
    assert (line.destination, line.texts) == (Destination(DestinationKind.HANGUP), {})


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ('{dial: "+14155550199"}', Destination(DestinationKind.DIAL, "+14155550199", 30)),
        ("{dial: +14155550199, timeout_seconds: 5}", Destination(DestinationKind.DIAL, "+14155550199", 5)),
        ("{sip: 'sip:desk@example.com'}", Destination(DestinationKind.SIP, "sip:desk@example.com", 30)),
        ("{client: desk.one}", Destination(DestinationKind.CLIENT, "desk.one", 30)),
        ("{queue: support team}", Destination(DestinationKind.QUEUE, "support team", 30)),
        (
            "{redirect: 'https://example.com/next?a=b'}",
            Destination(DestinationKind.REDIRECT, "https://example.com/next?a=b", 30),
        ),
        ("hangup", Destination(DestinationKind.HANGUP)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_call_goes_to_one_destination(tmp_path: Path, text: str, destination: Destination) -> None:
    config = loaded(tmp_path, PHONE.replace("destination: hangup", f"destination: {text}"))
    assert config.lines[0].destination == destination


def test_what_yaml_would_read_otherwise_means_what_it_says(tmp_path: Path) -> None:
    """For YAML an unquoted number loses its plus, no is false, and 2026-01-02 a date."""
    text = PHONE + "    language: no\n    name_variable: 2026-01-02\n    strict_caller_id: yes\n"
    (line,) = loaded(tmp_path, text).lines
    assert (line.number, line.language, line.name_variable, line.strict_caller_id) == (
        "+14155550100",
        "no",
        "2026-01-02",
        True,
    )


@pytest.mark.parametrize(
    ("written_as", "language"), [("en_us", "en-US"), ("DE", "de"), ("es-419", "es-419"), ("zh-hans-cn", "zh-Hans-CN")]
)
def test_a_language_is_kept_in_twilios_spelling(tmp_path: Path, written_as: str, language: str) -> None:
    assert loaded(tmp_path, f"texts: {{{written_as}: {{neutral: Hi.}}}}").texts == {language: {"neutral": "Hi."}}


def test_accounts_have_tokens_and_addresses_no_slash_at_the_end(tmp_path: Path) -> None:
    text = f"twilio: {{public_url: 'https://a.example/x/', accounts: [{{sid: {ACCOUNT}, auth_tokens: [new, old]}}]}}"
    twilio = loaded(tmp_path, text).twilio
    assert twilio.public_url == "https://a.example/x"
    assert twilio.accounts == (TwilioAccount(ACCOUNT, ("new", "old")),)


def test_every_number_of_the_policy_can_be_set(tmp_path: Path) -> None:
    text = """
identity: {ani_mobile: 0.6, never_identifying_keys: [call_id], shared_external_id_after_numbers: 9}
calls: {unique_days: 3}
variables: {default_ttl_seconds: 10, max_ttl_seconds: 10}
limits: {window_seconds: 1, grace_percent: 0}
retention: {idempotency_hours: 1, calls_days: 3}
"""
    policy = loaded(tmp_path, text).policy
    assert (policy.identity.ani_mobile, policy.identity.never_identifying_keys) == (0.6, ("call_id",))
    assert (policy.calls.unique_days, policy.calls.wrap_up_hours) == (3, 24)
    assert (policy.variables.default_ttl_seconds, policy.limits.grace_percent, policy.retention.calls_days) == (
        10,
        0,
        3,
    )


def test_the_configuration_hides_its_secrets_when_printed(tmp_path: Path) -> None:
    text = PHONE + "security: {pepper: 'pepper-pepper-pepper', encryption_keys: [{id: a, key: " + "A" * 43 + "=}]}\n"
    config = loaded(tmp_path, text)
    assert config.security.pepper == b"pepper-pepper-pepper"
    assert config.security.encryption_keys == (("a", bytes(32)),)
    for secret in ("pepper-", "abcdefgh", "x00"):
        assert secret not in repr(config)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("server: {wrokers: 3}", 'config.yaml:1: server.wrokers: is not a setting (did you mean "workers"?)'),
        (
            "server: {quux: 3}",
            "config.yaml:1: server.quux: is not a setting; the settings here are bind, threads, workers",
        ),
        ("\nservers:\n  bind: x", 'config.yaml:2: servers: is not a setting (did you mean "server"?)'),
        (
            "server: {workers: many}",
            "config.yaml:1: server.workers: is not a whole number; write a whole number from 1",
        ),
        ("server: {workers: 0}", "server.workers: is out of range; write a whole number from 1 to 256 (processes)"),
        ("server: {workers: 257}", "server.workers: is out of range"),
        ("server: {workers: 1.5}", "server.workers: is not a whole number"),
        ("server: {workers: '٣'}", "server.workers: is not a whole number"),
        ("server: {workers: [1]}", "server.workers: is a list, not a single value; write a whole number"),
        ("server: {workers: {a: 1}}", "server.workers: is a mapping, not a single value"),
        ("server: 8080", "config.yaml:1: server: is not a mapping; write its settings below it, indented"),
        ("server: {bind: '8080'}", "server.bind: is not usable here; write host:port (127.0.0.1:8080), [::1]:8080 or"),
        ("server: {bind: 'localhost:70000'}", "server.bind: has a port that is not from 1 to 65535"),
        ("server: {bind: 'localhost:0'}", "server.bind: has a port that is not from 1 to 65535"),
        ("server: {bind: ''}", "server.bind: is empty; write host:port"),
        ("database: {url: 'mysql://x/y'}", "database.url: is not usable here; write sqlite:///file.db"),
        (
            "{database: {url: 'postgresql://u:***@x/y'}, security: {pepper: 16-or-more-chars}}",
            "database.url: is not us",
        ),
        (
            "{database: {url: 'postgresql://x/y?password=***'}, security: {pepper: 16-or-more-chars}}",
            "database.url: is",
        ),
        ("database: {url: 'postgresql://u@x/y'}", "security.pepper: is missing, and PostgreSQL may be used by several"),
        ("database: {url: 'sqlite:///:memory:'}", "database.url: is not usable here"),
        ("database: {url: 'sqlite:///'}", "database.url: is not usable here"),
        ("logging: {level: wanring}", 'logging.level: is not known (did you mean "warning"?); write one of debug'),
        ("identity: {ani_mobile: 1.1}", "identity.ani_mobile: is out of range; write a number from 0 to 1"),
        ("identity: {ani_mobile: nan}", "identity.ani_mobile: is out of range"),
        ("identity: {ani_mobile: much}", "identity.ani_mobile: is not a number"),
        (
            "identity: {never_identifying_keys: call_id}",
            "identity.never_identifying_keys: is not a list; write its items",
        ),
        ("identity: {never_identifying_keys: [~]}", "identity.never_identifying_keys.0: is missing; write the key of"),
        ("organizations: [{tier: free}]", "config.yaml:1: organizations.0.id: is missing; write a short name"),
        ("organizations: [a]", "config.yaml:1: organizations.0: is not a mapping"),
        ("organizations: [{id: 'a b'}]", "organizations.0.id: is not usable here; write a short name"),
        ("organizations: [{id: a, tier: fre}]", 'organizations.0.tier: there is no tier "fre" (did you mean "free"?);'),
        ("organizations: [{id: a, billing_day: 32}]", "organizations.0.billing_day: is out of range"),
        (
            "organizations: [{id: a, monthly: infinite}]",
            "organizations.0.monthly: is not a whole number; write a whole",
        ),
        ("organizations: [{id: a}, {id: a}]", "organizations.1: is the same as organizations.0; keep one of them"),
        (
            "organizations: [{id: a, billing_account: x}]",
            "organizations.0.billing_account: is not usable here; write ba_",
        ),
        ("recording: {lines: ['+14155550100']}", "recording.lines.0: is the number of no line; write it as it is"),
        ("recording: {personal: keeep}", 'recording.personal: is not known (did you mean "keep"?)'),
        ("recording: {max_bytes: 1}", "recording.max_bytes: is out of range"),
        ("tiers: [a]", "config.yaml:1: tiers: is not a mapping"),
        ("tiers: {gold: {per_minute: 5}}", 'tiers.gold: a new tier needs monthly; write a number or "unlimited"'),
        ("tiers: {'a b': {per_minute: 5, monthly: 5}}", "tiers.a b: is not usable here; write a short name"),
        ("tiers: {free: {per_minute: 0}}", "tiers.free.per_minute: is out of range; write a whole number from 1 to"),
        (
            "twilio: {public_url: calls.example.com}",
            "twilio.public_url: is not an absolute https or http URL; write the",
        ),
        ("twilio: {public_url: 'https://['}", "twilio.public_url: is not an absolute https or http URL"),
        ("twilio: {public_url: 'https://a b'}", "twilio.public_url: is not an absolute https or http URL"),
        ("twilio: {public_url: 'https://a?b=c'}", "twilio.public_url: has a part that does not belong there"),
        ("twilio: {public_url: 'https://u:p@a'}", "twilio.public_url: has a part that does not belong there"),
        (
            "twilio: {accounts: [{sid: AC1, auth_tokens: [a]}]}",
            "twilio.accounts.0.sid: is not usable here; write the acc",
        ),
        (f"twilio: {{accounts: [{{sid: {ACCOUNT}}}]}}", "twilio.accounts.0.auth_tokens: is missing"),
        ("twilio: {accounts: [{sid: '*', auth_tokens: []}]}", "twilio.accounts.0.auth_tokens: has no token, or more"),
        ("twilio: {accounts: [{sid: '*', auth_tokens: [a b]}]}", "twilio.accounts.0.auth_tokens.0: is not usable here"),
        ("twilio: {accounts: [{sid: '*', auth_tokens: ['***']}]}", "auth_tokens.0: is not usable here; write the auth"),
        ("texts: {en: {reus: Hello}}", 'texts.en.reus: is not a setting (did you mean "reuse"?)'),
        ("texts: {'?': {reuse: Hello}}", "texts.?: is not usable here; write a language such as en, en-US or de-DE"),
        ("texts: {en-US: {reuse: a}, en_us: {reuse: b}}", 'texts.en_us: is "en-US" once more; keep one of them'),
        ("texts: {en: {reuse: '{% if %}'}}", "texts.en.reuse: is not a valid Jinja text: Expected an expression"),
        ("texts: {en: {reuse: ' '}}", "texts.en.reuse: is empty; write a sentence"),
        ('texts: {en: {reuse: "a\\a"}}', "texts.en.reuse: holds a control character"),
        ("security: {pepper: short}", "security.pepper: is too short; write at least 16 random characters"),
        ("security: {pepper: '                 '}", "security.pepper: holds a control character or a space at its end"),
        ("security: {pepper: replace-with-the-output}", "is still the example's"),
        ("security: {encryption_keys: [{id: a, key: '?'}]}", "security.encryption_keys.0.key: is not base64; write"),
        (
            "security: {encryption_keys: [{id: a, key: QUJD}]}",
            "security.encryption_keys.0.key: has 3 bytes; write base64",
        ),
        ("identity: {confirm_from: 0.9}", "identity.confirm_from: is 0.9, more than identity.reuse_from (0.5)"),
        ("identity: {cap_doubted: 0.5}", "identity.cap_doubted: is 0.5, not below identity.reuse_from (0.5)"),
        (
            "variables: {default_ttl_seconds: 99999999}",
            "variables.default_ttl_seconds: is 99999999, more than variables.max",
        ),
        (
            "calls: {unique_days: 91}",
            "calls.unique_days: is 91, more than retention.calls_days (90): a call must be kept",
        ),
    ],
)
def test_a_mistake_is_said_with_its_place_and_the_way_out(tmp_path: Path, text: str, says: str) -> None:
    assert says in problem(tmp_path, text)


LINE = "destination: hangup"


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (LINE, "destination: {}", "lines.0.destination: names 0 destinations; write hangup, voicemail or callback"),
        (LINE, "destination: {queue: a, client: b}", "lines.0.destination: names 2 destinations"),
        (LINE, "destination: dial", "lines.0.destination: is not a destination; write hangup, voicemail or callback"),
        (LINE, "destination: {dial: '5550100'}", "lines.0.destination.dial: is not an E.164 number; write it as +1415"),
        (LINE, "destination: {dial: '*'}", "lines.0.destination.dial: is not an E.164 number"),
        (
            LINE,
            "destination: {sip: desk@example.com}",
            "lines.0.destination.sip: is not usable here; write a SIP address",
        ),
        (LINE, "destination: {client: 'client:a'}", "lines.0.destination.client: is not usable here"),
        (LINE, "destination: {redirect: 'http://a'}", "lines.0.destination.redirect: is not an absolute https URL"),
        (LINE, "destination: {queue: a, timeout_seconds: 4}", "lines.0.destination.timeout_seconds: is out of range"),
        (LINE, "destination: {phone: a, queue: b}", "lines.0.destination.phone: is not a setting"),
        (LINE, "language: en", "config.yaml:7: lines.0.destination: is missing; write hangup, voicemail or callback"),
        ("number: +14155550100", "number: '14155550100'", "lines.0.number: is not an E.164 number; write it as +14155"),
        (LINE, f"{LINE}\n    mode: live", "lines.0.mode: is not known; write one of prod, test"),
        (
            LINE,
            f"{LINE}\n    strict_caller_id: maybe",
            "strict_caller_id: is neither true nor false; write true or false",
        ),
        (
            LINE,
            f"{LINE}\n    organization: acme",
            'lines.0.organization: there is no organization "acme"; write one of d',
        ),
        (
            LINE,
            f"{LINE}\n    texts: {{confirm: 'Hi {{{{ name }}}}'}}",
            'uses "name", which is not known when this text',
        ),
        (LINE, f"{LINE}\n  - number: +14155550100\n    {LINE}", "lines.1: is the same as lines.0; keep one of them"),
        ("public_url: https://calls.example.com", "", "twilio.public_url: is missing; write the address Twilio calls"),
        ('sid: "*"', f"sid: {ACCOUNT[:-1]}1", None),
        ("  - number", f"  - account: {ACCOUNT}\n    number", None),
    ],
)
def test_a_lines_mistake_is_said_with_its_place(tmp_path: Path, was: str, becomes: str, says: str | None) -> None:
    text = PHONE.replace(was, becomes)
    assert text != PHONE
    if says is None:
        assert loaded(tmp_path, text).lines
    else:
        assert says in problem(tmp_path, text)


def test_a_line_of_an_account_without_a_token_is_a_mistake(tmp_path: Path) -> None:
    text = PHONE.replace('"*"', f"{ACCOUNT[:-1]}1").replace("  - number", f"  - account: {ACCOUNT}\n    number")
    assert "lines.0.account: has no auth token; add this account" in problem(tmp_path, text)
    nobody = PHONE.replace('    - {sid: "*", auth_tokens: [abcdefgh]}', "").replace("accounts:", "")
    assert "lines.0.account: has no auth token" in problem(tmp_path, nobody)


def test_a_line_must_name_one_of_several_organizations(tmp_path: Path) -> None:
    text = PHONE + "organizations: [{id: a}, {id: b}]\n"
    assert "lines.0.organization: is missing; write one of a, b" in problem(tmp_path, text)


def test_doubles_in_accounts_and_keys_are_mistakes(tmp_path: Path) -> None:
    key = f"{{id: a, key: {'A' * 43}=}}"
    text = f"""
twilio: {{accounts: [{{sid: "*", auth_tokens: [a]}}, {{sid: "*", auth_tokens: [b]}}]}}
security: {{encryption_keys: [{key}, {key}]}}
"""
    first, second = problems(tmp_path, text)
    assert "config.yaml:2: twilio.accounts.1: is the same as twilio.accounts.0" in first
    assert "config.yaml:3: security.encryption_keys.1: is the same as security.encryption_keys.0" in second


def test_organizations_that_share_a_billing_account_share_its_month(tmp_path: Path) -> None:
    text = "organizations: [{id: a, billing_account: ba_x, tier: growth}, {id: b, billing_account: ba_x, monthly: %s}]"
    assert loaded(tmp_path, text % 100_000).organizations[1].plan.monthly == 100_000
    assert "organizations.1.billing_account: shares its billing account" in problem(tmp_path, text % "unlimited")


def test_all_mistakes_are_told_at_once_from_top_to_bottom_then_the_variables(tmp_path: Path) -> None:
    text = """server:
  workers: none
  bnd: x
organizations:
  - id: acme
    tier: gold
security:
  pepper: short
"""
    found = problems(tmp_path, text, ADAPTER_SERVR="x", ADAPTER_LOGGING__LEVEL="loud")
    assert [line.split(": ")[0] for line in found] == [
        "config.yaml:2",
        "config.yaml:3",
        "config.yaml:6",
        "config.yaml:8",
        "ADAPTER_SERVR",
        "ADAPTER_LOGGING__LEVEL",
    ]


def test_no_message_repeats_a_value_that_could_be_a_secret(tmp_path: Path) -> None:
    text = """
twilio: {accounts: [{sid: se1cret, auth_tokens: ["se2 cret"]}], public_url: "https://user:se3cret@a"}
security: {pepper: se4cret, encryption_keys: [{id: a, key: se5cret}]}
database: {url: "postgresql://u:se6 cret@host/db"}
"""
    assert "cret" not in "\n".join(problems(tmp_path, text))


def test_what_a_terminal_would_act_on_is_escaped(tmp_path: Path) -> None:
    assert problem(tmp_path, '"\\e[2J\\n": 1').startswith(r"config.yaml:1: \x1b[2J\n: is not a setting")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "directory"),
        (Path("\0"), "usable name"),
    ):
        with pytest.raises(ConfigError, match=reason):
            load(path, {})


def test_the_file_is_the_one_named_then_the_variables_then_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(None, {}) is None
    written(tmp_path, "")
    assert find(None, {}) == Path("config.yaml")
    assert find(None, {"ADAPTER_CONFIG": "other.yaml"}) == Path("other.yaml")
    assert find(Path("named.yaml"), {"ADAPTER_CONFIG": "other.yaml"}) == Path("named.yaml")


def test_the_url_with_its_password_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:se6cret@host/db\n")
    written(tmp_path, "{database: {url_file: url, pool_size: 3}, security: {pepper: 16-or-more-chars}}")
    config = load(tmp_path / "config.yaml", {})
    assert (config.database.url, config.database.pool_size) == ("postgresql://u:se6cret@host/db", 3)
    assert config.database.is_postgresql
    assert "se6cret" not in repr(config)


def test_without_its_driver_postgresql_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapter.config.fields.find_spec", lambda name: None)
    text = "{database: {url: 'postgresql://u@host/db'}, security: {pepper: 16-or-more-chars}}"
    assert "run `pip install 'sticky-calls-adapter[postgres]'`" in problem(tmp_path, text)
