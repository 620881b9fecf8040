"""The command `sticky-calls`: one module, or package, a command (group).

A command's module is imported when it is called: `--version` and `--help` need neither the store nor the web.
Secrets are never taken from the command line, where every user of the machine can read them.
"""

from __future__ import annotations

import errno
from importlib import import_module

import click

from adapter import __version__
from adapter.errors import AdapterError, ConfigError, StoreUnavailable

_COMMANDS = {
    "serve": ("serving.serve", "serve", "Run the service."),
    "demo": ("demo.command", "demo", "Play a caller's story against a real server on a temporary database."),
    "check-config": ("check_config", "check_config", "Find every mistake in the configuration."),
    "preview": ("preview.command", "preview", "Show what callers would hear, from the configuration alone."),
    "simulate": ("simulate.command", "simulate", "Call a running server from the terminal, as Twilio would."),
    "keys": ("keys", "keys", "Make, list, revoke and rotate API keys."),
    "tail": ("watching.tail", "tail", "Watch calls as they happen."),
    "stats": ("watching.stats", "stats", "Count the calls of a time: how they were greeted, how long they took."),
    "orgs": ("accounts", "orgs", "Show the organizations, and what they may do."),
    "quota": ("accounts", "quota", "Show what is left of the month."),
    "usage": ("accounts", "usage", "Show how much was used, month by month."),
    "call": ("call", "call", "Talk to a running service: start, end, show a call."),
    "import": ("replay.importing", "import_webhooks", "Turn recorded webhooks of other tools into a recording."),
    "record": ("replay.recorded", "record", "Run the service and record its webhooks, or show what is recorded."),
    "replay": ("replay.command", "replay", "Play recorded calls again and compare the answers."),
    "what-if": ("replay.what_if", "what_if", "Play recorded calls to another configuration: what would change?"),
    "fixture": ("replay.fixture", "fixture", "Write a test that plays recorded calls."),
    "doctor": ("doctor.command", "doctor", "Look at everything that can be wrong, and say what to do about it."),
    "numbers": ("numbers.command", "numbers", "Point Twilio's numbers at this service, and put them back."),
    "customers": ("customers.command", "customers", "What is stored of a person: find, show, export, forget."),
    "db": ("db.command", "db", "Look after the database."),
}


class _Commands(click.Group):
    """Knows its commands by name only, and says what went wrong without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise click.ClickException(told(error)) from error
        except AdapterError as error:
            raise click.ClickException(_of_ours(error)) from error
        except OSError as error:
            # Whoever read has heard enough: click ends quietly. And what is of no system call is a mistake of ours.
            if error.errno in (None, errno.EPIPE):
                raise
            raise click.ClickException(_of_the_system(error)) from error


def told(error: ConfigError) -> str:
    """All mistakes, one a line, under a line that counts them."""
    count = len(error.problems)
    return "\n".join([f"the configuration has {count} mistake{'s' if count != 1 else ''}:", *error.problems])


def _of_ours(error: AdapterError) -> str:
    """What it says, and where to go on where the database cannot be used at all."""
    is_database = isinstance(error, StoreUnavailable) and error.message.startswith("the database ")
    return error.message + ("; `sticky-calls doctor` tells what to do" if is_database else "")


def _of_the_system(error: OSError) -> str:
    """A full disk, a folder that is not there: where, and what; the name of what is left out is standard output."""
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename or 'writing what was to be shown'}: {reason}"


@click.group(
    cls=_Commands, epilog="Example:  sticky-calls demo", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="sticky-calls")
def main() -> None:
    """Caller memory for the telephone: who is calling, how sure are we, what was left open last time."""
