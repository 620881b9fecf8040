import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.engine.model import (
    EndCall,
    Hints,
    IntentStatus,
    IntentUpdate,
    Issue,
    LineType,
    StartCall,
    VariableUpdate,
    Verdict,
)
from adapter.web.rest.commands import issues_of_idempotency_key, read_end, read_start, read_verdict

REF = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
ANI = "+14155550123"
NO_HINT = "identity_hints must include ani, external_ids, or customer_ref"


def start(hints=None, **more):
    return {"call_id": "call_001", "identity_hints": {"ani": ANI} if hints is None else hints, **more}


def end(**more):
    return {"call_id": "call_001", "customer_ref": REF, **more}


def issues(read) -> list[tuple[str, ...]]:
    assert isinstance(read, list), f"accepted as {read}"
    assert all(isinstance(issue, Issue) for issue in read)
    return [issue.path for issue in read]


class TestStart:
    def test_everything_the_reference_names_is_read(self):
        hints = {"ani": ANI, "dnis": "+14155550199", "external_ids": {"b": "2", "a": "1"}, "customer_ref": REF.upper()}
        read = read_start(start(hints, telco={"line_type": "mobile"}))
        assert read == StartCall(
            "call_001",
            Hints(ANI, "+14155550199", (("b", "2"), ("a", "1")), REF, LineType.MOBILE),
        )

    def test_names_nobody_documented_are_ignored(self):
        read = read_start(start(surprise={"\0": float}, telco={"carrier": "x"}))
        assert read == StartCall("call_001", Hints(ANI))

    @pytest.mark.parametrize(
        "hints",
        [{}, {"dnis": "+14155550199"}, {"external_ids": {}}, {"ani": ""}],
        ids=["none", "dnis", "no ids", "empty"],
    )
    def test_a_caller_of_whom_nothing_is_said_is_refused_in_the_references_words(self, hints):
        assert read_start(start(hints)) == [Issue(("identity_hints",), NO_HINT)]

    @pytest.mark.parametrize("ani", ["anonymous", "+266696687", "Restricted"])
    def test_a_withheld_number_is_a_hint_without_a_number(self, ani):
        assert read_start(start({"ani": ani})) == StartCall("call_001", Hints(ani=None, ani_note="withheld"))

    def test_an_empty_number_beside_another_hint_is_no_number(self):
        read = read_start(start({"ani": "", "customer_ref": REF}))
        assert read == StartCall("call_001", Hints(customer_ref=REF, ani_note="missing"))

    @pytest.mark.parametrize(
        "ani",
        ["4155550123", "+0155501234", "sip:x@example.org", "+1415555012345678", "+14155550123\n", 14155550123, None],
    )
    def test_a_malformed_number_is_one_issue(self, ani):
        read = read_start(start({"ani": ani}))
        assert issues(read) == [("identity_hints", "ani")] if ani is not None else issues(read)
        assert (
            Issue(
                ("identity_hints", "ani"),
                "identity_hints.ani must be a phone number in E.164 format, like +14155550123",
            )
            in read
        )

    @pytest.mark.parametrize(
        "ref", ["", "x", REF.replace("-", ""), f"{{{REF}}}", f"{REF}\n", f"urn:uuid:{REF}", 5, None, "é" * 36]
    )
    def test_a_customer_ref_that_is_no_uuid_is_refused(self, ref):
        read = read_start(start({"ani": ANI, "customer_ref": ref}))
        assert read == [Issue(("identity_hints", "customer_ref"), "identity_hints.customer_ref must be a UUID")]

    @pytest.mark.parametrize("body", [None, [], "x", 5, True, [start()]])
    def test_a_body_that_is_no_object_is_refused(self, body):
        assert read_start(body) == [Issue((), "body must be an object")]

    def test_every_problem_is_listed(self):
        body = {
            "call_id": "",
            "identity_hints": {"ani": "5", "dnis": 5, "external_ids": {"": "x", "a": 1, "b": ""}, "customer_ref": "x"},
            "telco": {"line_type": "satellite"},
        }
        assert [issue.message for issue in read_start(body)] == [
            "call_id must be 1 to 128 characters long",
            "identity_hints.ani must be a phone number in E.164 format, like +14155550123",
            "identity_hints.dnis must be a string",
            "identity_hints.external_ids. has a name that must be 1 to 128 characters long",
            "identity_hints.external_ids.a must be a string",
            "identity_hints.external_ids.b must be 1 to 1024 characters long",
            "identity_hints.customer_ref must be a UUID",
            "telco.line_type must be one of: mobile, landline, voip, unknown",
        ]

    @pytest.mark.parametrize("line_type", [None, 5, ["mobile"], {"a": 1}, "Mobile"])
    def test_a_line_type_is_one_of_the_references(self, line_type):
        assert issues(read_start(start(telco={"line_type": line_type}))) == [("telco", "line_type")]

    @pytest.mark.parametrize("call_id", ["a\0b", "\ud800", "\udfff\ud800"])
    def test_text_that_no_database_can_hold_is_an_issue(self, call_id):
        assert read_start(start() | {"call_id": call_id}) == [
            Issue(("call_id",), "call_id must not hold NUL or unpaired surrogates")
        ]

    @pytest.mark.parametrize("extra", ["\0", "\ud800"])
    def test_names_that_no_database_can_hold_are_issues_that_can_be_answered(self, extra):
        (issue,) = read_start(start({"external_ids": {f"k{extra}": "v"}}))
        json.dumps(list(issue.path), ensure_ascii=False).encode()
        issue.message.encode()

    @pytest.mark.parametrize(("length", "fits"), [(1, True), (128, True), (129, False)])
    def test_a_call_id_has_up_to_128_characters(self, length, fits):
        assert isinstance(read_start(start() | {"call_id": "é" * length}), StartCall) is fits

    @pytest.mark.parametrize(("count", "fits"), [(64, True), (65, False)])
    def test_there_are_up_to_64_external_ids(self, count, fits):
        read = read_start(start({"external_ids": {f"k{n}": "v" for n in range(count)}}))
        assert isinstance(read, StartCall) is fits

    def test_an_external_id_called_like_marshmallows_own_key_keeps_its_path(self):
        read = read_start(start({"external_ids": {"_schema": 5}}))
        assert issues(read) == [("identity_hints", "external_ids", "_schema")]


class TestEnd:
    def test_the_simple_form(self):
        read = read_end(end(intent="billing", intent_status="resolved", variables={"name": "Ann", "old": None}))
        assert read == EndCall(
            "call_001",
            REF,
            intents=(IntentUpdate("billing", IntentStatus.RESOLVED),),
            variables=(VariableUpdate("name", "Ann"), VariableUpdate("old", None)),
        )

    def test_the_advanced_form(self):
        read = read_end(
            end(
                intent_updates=[{"intent": "refund", "status": "resolved", "resolution": {"a": [1]}}, {"intent": "x"}],
                variable_updates={"tier": {"value": "Gold", "source": "crm", "ttl_seconds": 60}, "b": {"value": None}},
            )
        )
        assert read == EndCall(
            "call_001",
            REF,
            intents=(IntentUpdate("refund", IntentStatus.RESOLVED, {"a": [1]}), IntentUpdate("x")),
            variables=(VariableUpdate("tier", "Gold", "crm", 60), VariableUpdate("b", None)),
        )

    def test_both_forms_in_one_simple_first(self):
        read = read_end(
            end(
                variable_updates={"b": {"value": "2", "source": None}},
                variables={"a": "1"},
                intent_updates=[{"intent": "y"}],
                intent="x",
            )
        )
        assert [update.intent for update in read.intents] == ["x", "y"]
        assert [update.name for update in read.variables] == ["a", "b"]

    def test_an_intent_without_status_is_open(self):
        assert read_end(end(intent="x")).intents == (IntentUpdate("x", IntentStatus.OPEN),)

    def test_a_status_without_intent_is_refused(self):
        assert read_end(end(intent_status="open")) == [Issue(("intent_status",), "intent_status needs intent")]

    def test_hints_stand_in_for_a_customer_ref(self):
        read = read_end({"call_id": "c", "identity_hints": {"ani": ANI}})
        assert read == EndCall("c", hints=Hints(ANI))

    def test_the_kind_of_line_may_be_told_at_the_end(self):
        assert read_end(end(telco={"line_type": "mobile"})).line_type is LineType.MOBILE
        assert read_end(end(telco={})).line_type is None
        assert issues(read_end(end(telco={"line_type": "x"}))) == [("telco", "line_type")]

    def test_neither_hints_nor_customer_ref_is_refused(self):
        assert read_end({"call_id": "c"}) == [Issue((), "body must include customer_ref or identity_hints")]

    def test_hints_must_say_something_even_beside_a_customer_ref(self):
        assert read_end(end(identity_hints={})) == [Issue(("identity_hints",), NO_HINT)]

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"intent": "x", "intent_updates": [{"intent": "x"}]}, ("intent_updates", 0, "intent")),
            ({"intent_updates": [{"intent": "x"}, {"intent": "x"}]}, ("intent_updates", 1, "intent")),
            ({"variables": {"a": "1"}, "variable_updates": {"a": {"value": "1"}}}, ("variable_updates", "a")),
        ],
        ids=["intent across forms", "intent within a form", "variable across forms"],
    )
    def test_what_is_named_twice_is_refused_at_the_second_place(self, body, path):
        (issue,) = read_end(end(**body))
        assert issue.path == path
        assert issue.message.endswith("is named twice in this request")

    def test_names_differing_in_case_are_two_names(self):
        assert (
            len(read_end(end(variables={"a": "1", "A": "2"}, intent="x", intent_updates=[{"intent": "X"}])).intents)
            == 2
        )

    @pytest.mark.parametrize(
        "ttl", [0, -1, 31_536_001, 1.5, "60", True, None, [], 10**400], ids=lambda ttl: str(ttl)[:10]
    )
    def test_a_time_to_live_out_of_bounds_is_refused(self, ttl):
        read = read_end(end(variable_updates={"a": {"value": "x", "ttl_seconds": ttl}}))
        assert issues(read) == [("variable_updates", "a", "ttl_seconds")]

    @pytest.mark.parametrize("ttl", [1, 60.0, 31_536_000])
    def test_a_time_to_live_in_bounds_is_a_whole_number(self, ttl):
        (update,) = read_end(end(variable_updates={"a": {"value": "x", "ttl_seconds": ttl}})).variables
        assert update.ttl_seconds == ttl
        assert isinstance(update.ttl_seconds, int)

    def test_the_longest_time_to_live_is_the_configured_one(self):
        body = end(variable_updates={"a": {"value": "x", "ttl_seconds": 61}})
        assert issues(read_end(body, max_ttl_seconds=60)) == [("variable_updates", "a", "ttl_seconds")]
        assert isinstance(read_end(body, max_ttl_seconds=61), EndCall)

    @pytest.mark.parametrize(("length", "fits"), [(0, True), (1024, True), (1025, False)])
    def test_a_value_has_up_to_1024_characters(self, length, fits):
        assert isinstance(read_end(end(variables={"a": "x" * length})), EndCall) is fits
        assert isinstance(read_end(end(variable_updates={"a": {"value": "x" * length}})), EndCall) is fits

    @pytest.mark.parametrize("value", [5, True, 1.5, [], {}])
    def test_a_value_is_a_string_or_null(self, value):
        assert issues(read_end(end(variables={"a": value}))) == [("variables", "a")]
        assert issues(read_end(end(variable_updates={"a": {"value": value}}))) == [("variable_updates", "a", "value")]

    def test_a_value_left_out_is_not_null(self):
        assert issues(read_end(end(variable_updates={"a": {}}))) == [("variable_updates", "a", "value")]

    @pytest.mark.parametrize(("length", "fits"), [(0, True), (128, True), (129, False)])
    def test_a_source_has_up_to_128_characters(self, length, fits):
        read = read_end(end(variable_updates={"a": {"value": "x", "source": "s" * length}}))
        assert isinstance(read, EndCall) is fits

    @pytest.mark.parametrize(
        "resolution", [None, [], "x", 5, {"a": "x" * 4096}, {"a": "\0"}, {"\ud800": 1}, {"a": {"b": ["\udc00"]}}]
    )
    def test_a_resolution_is_an_object_that_fits_and_can_be_kept(self, resolution):
        read = read_end(end(intent_updates=[{"intent": "x", "resolution": resolution}]))
        assert issues(read) == [("intent_updates", 0, "resolution")]

    @pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "\\"])
    def test_a_backslash_in_a_resolution_is_no_nul(self, text):
        read = read_end(end(intent_updates=[{"intent": "x", "resolution": {"a": text}}]))
        assert read.intents[0].resolution == {"a": text}

    def test_a_resolution_is_measured_as_compact_json(self):
        fits = {"a": "é" * (4096 - len('{"a":""}'))}
        assert isinstance(read_end(end(intent_updates=[{"intent": "x", "resolution": fits}])), EndCall)

    def test_there_are_up_to_100_intents_in_both_forms_together(self):
        updates = [{"intent": str(n)} for n in range(101)]
        assert isinstance(read_end(end(intent_updates=updates[:100])), EndCall)
        assert isinstance(read_end(end(intent="x", intent_updates=updates[:99])), EndCall)
        assert read_end(end(intent_updates=updates)) == [
            Issue(("intent_updates",), "intent_updates must not hold more than 100 items")
        ]
        assert read_end(end(intent="x", intent_updates=updates[:100])) == [
            Issue(("intent_updates",), "intent_updates and intent must not hold more than 100 together")
        ]

    def test_there_are_up_to_200_variables_in_both_forms_together(self):
        simple = {f"s{n}": "x" for n in range(200)}
        advanced = {f"a{n}": {"value": "x"} for n in range(200)}
        assert isinstance(read_end(end(variables=simple)), EndCall)
        assert read_end(end(variables=simple | {"x": "x"})) == [
            Issue(("variables",), "variables must not hold more than 200 names")
        ]
        assert issues(read_end(end(variables=simple, variable_updates=advanced))) == [("variable_updates",)]

    @pytest.mark.parametrize("form", ["variables", "variable_updates", "intent_updates", "identity_hints"])
    @pytest.mark.parametrize("value", [None, 5, "x"])
    def test_a_form_of_the_wrong_type_is_an_issue(self, form, value):
        assert issues(read_end(end(**{form: value}))) == [(form,)]

    def test_items_of_the_wrong_type_are_issues(self):
        read = read_end(end(intent_updates=[5, None, {"intent": 5}], variable_updates={"a": 5, "b": None}))
        assert issues(read) == [
            ("intent_updates", 0),
            ("intent_updates", 1),
            ("intent_updates", 2, "intent"),
            ("variable_updates", "a"),
            ("variable_updates", "b"),
        ]


class TestVerdict:
    @pytest.mark.parametrize("verdict", list(Verdict))
    def test_a_verdict_is_confirmed_or_rejected(self, verdict):
        assert read_verdict({"verdict": verdict.value}) is verdict

    @pytest.mark.parametrize("body", [{}, {"verdict": "maybe"}, {"verdict": None}, {"verdict": 1}])
    def test_anything_else_is_refused(self, body):
        assert issues(read_verdict(body)) == [("verdict",)]


@pytest.mark.parametrize("key", [None, "x", "end_call_001_attempt1", "x" * 255, "a b"])
def test_an_idempotency_key_of_printable_ascii_is_fine(key):
    assert issues_of_idempotency_key(key) == []


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb", "a\x7f"])
def test_any_other_idempotency_key_is_an_issue_of_the_header(key):
    assert [issue.path for issue in issues_of_idempotency_key(key)] == [("Idempotency-Key",)]


NAMES = (
    "call_id identity_hints ani external_ids customer_ref telco line_type intent intent_status variables "
    "intent_updates variable_updates status resolution value source ttl_seconds verdict"
)
names = st.sampled_from(NAMES.split())
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from([REF, ANI])
)
bodies = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=6),
    max_leaves=30,
)


@given(bodies)
def test_any_json_is_a_command_or_a_list_of_issues_that_can_be_answered(body):
    for read, command in ((read_start, StartCall), (read_end, EndCall), (read_verdict, Verdict)):
        outcome = read(body)
        if isinstance(outcome, list):
            assert outcome
            json.dumps([[list(issue.path), issue.message] for issue in outcome], ensure_ascii=False).encode()
        else:
            assert isinstance(outcome, command)
