"""Caller memory for the telephone: Twilio webhooks and the Sticky Calls REST API over one engine.

The engine decides. The store remembers. twilio/ and web/ translate. A use case holds one transaction. app.py wires.

    app.py          create_app(config, store, clock, ids): the only wiring
    wsgi.py         gunicorn's door
    upkeep.py       the housekeeping thread of a worker
    lookups.py      line types, looked up behind the greeting
    recorder.py     what is recorded of calls, by the configuration
    testing.py      for users' own tests: are recorded calls answered as they were, do new ones go as they should?
    pytest_plugin.py    the same as fixtures, there as soon as the package is installed
    cli/            the command `sticky-calls`, one module or package a command group
        serving/    gunicorn, and what it does differently here
    web/            TRANSLATES HTTP: who is served when there is too much to do, who is timed, traced and recorded
        rest/       the API: guards, schemas, commands, problems; openapi/ describes it, with a page to try it
        webhooks/   Twilio's: voice, genuine (signed by Twilio?), in_time (answered whatever hangs)
    replay/         Twilio, played: a telephone network in a box; recordings, pseudonyms, importers, compare, rerun
    usecases/       ACTS: start, greeting, turns, end, hang-up, verdict, records, upkeep; one transaction each
    store/          REMEMBERS: all SQL and sealing, on SQLite or PostgreSQL; gives back engine values, never rows
        sqlite/     one file; postgres/ a server, and any number of nodes
        moving/     everything of one database into another, while the service goes on
        bulk/       very many customers at once: read together, changed in memory, written together
    twilio/         TRANSLATES Twilio's language: signature, events and turns (form → command), texts and words,
                    twiml (step → TwiML), channels (context → what each hand-over can carry), lookup, voices,
                    provisioning (Twilio's side of our numbers), standing_in (a TwiML Bin for when we are away)
    config/         YAML + ADAPTER_* environment + secret files → frozen dataclasses; all mistakes at once
    logs.py         JSON lines, numbers and keys masked
    metrics.py      what is counted and timed, for Prometheus
    tracing.py      spans for OpenTelemetry, where they are wanted
    clock.py        time and new ids, as arguments
    engine/         DECIDES: pure functions of values
        model/      the vocabulary; policy: every number; line: a dialed number's settings
        identity, evidence, confidence    who is calling, why, how sure
        intents, variables, lifecycle, limits, quotas, idempotency    what is kept, and what is allowed
        flow/       the conversation: turn → what follows (a table) → the next question or hand-over, as values
        disclosure  who may hear what; lockout: how often a proof may fail
        caller_id   which caller numbers are numbers
    errors.py       what a client can be told

Imports point down only; the exact layers are import-linter's, in pyproject.toml.

The ways data takes:
    REST    guard: key → principal · schema: JSON → command · use case, one transaction:
            rate hit → kept answer? → quota → facts → engine decides → write → keep answer · outcome → JSON
    Twilio  guard: signature over public URL + form · events: form → the same command · the same use case;
            a webhook seen before gives its first answer · outcome → step → TwiML, always 200
            later webhooks of the call are turns: hear → effects → who is known now → go on · one transaction each
"""

__version__ = "0.2.0"
