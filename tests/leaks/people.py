"""People with a memory of which every value is marked: found anywhere, it can only have come from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.builders import Api

_NAMES = (
    "Aurelio Bramwick",
    "Celestine Dovehart",
    "Erasmus Fenwilder",
    "Gwendolyn Hopscotch",
    "Ichabod Jumblefeld",
    "Kunigunde Lindwurm",
    "Mortimer Nightbriar",
    "Ophelia Quillfeather",
)
_INTENTS_EACH = 2


@dataclass
class Person:
    """`ref`: under which the product knows them; `code` and `account` are what they can prove themselves with."""

    name: str
    number: str
    account: str
    variables: dict[str, str]
    intents: tuple[str, ...]
    line_type: str | None
    ref: str = ""

    @property
    def code(self) -> str:
        return self.variables["code"]

    def marks(self) -> Iterator[tuple[str, str, str]]:
        """(variable | intent | account, its name, a word that nobody else's memory has)."""
        for variable, value in self.variables.items():
            for word in value.split():
                yield "variable", variable, word.casefold()
        for intent in self.intents:
            yield "intent", intent, intent.replace("_", " ")
        yield "account", "account", self.account


def intents_of(place: int) -> tuple[str, ...]:
    return tuple(f"wish_{_token(place)}_{number}" for number in range(_INTENTS_EACH))


def _token(place: int) -> str:
    return "xq" + 3 * "abcdefgh"[place]


ALL_INTENTS = tuple(intent for place in range(len(_NAMES)) for intent in intents_of(place))


def some_people(random: Random) -> list[Person]:
    """Some of them share a telephone."""
    numbers = [f"+1415555{random.randrange(10)}{place:03}" for place in range(len(_NAMES))]
    for place in range(1, len(numbers)):
        if random.random() < 0.35:
            numbers[place] = numbers[place - 1]
    return [_person(random, place, numbers[place]) for place in range(len(_NAMES))]


def _person(random: Random, place: int, number: str) -> Person:
    mark = f"{_token(place)}{random.randrange(100, 1000)}"
    digits = "".join(random.choices("125678", k=5))  # so that no code (94…) can stand in it
    return Person(
        name=_NAMES[place],
        number=number,
        account=f"73{digits}{place}",
        variables={
            "name": _NAMES[place],
            "plan": f"plan{mark}",
            "town": f"town{mark}",
            "balance": f"balance{mark}",
            "remark": f"remark{mark}",
            "code": f"94{place}{random.randrange(100, 1000)}",
        },
        intents=intents_of(place),
        line_type=random.choice((None, "mobile", "landline", "voip")),
    )


def settle(api: Api, random: Random, people: list[Person]) -> None:
    """Everybody has called before, and was written down."""
    for place, person in enumerate(people):
        known = {"external_ids": {"account": person.account}} if random.random() < 0.8 else {}
        call = f"history-{place}"
        person.ref = api.start(call, person.line_type, ani=person.number, **known).json["customer_ref"]
        kept = {name: value for name, value in person.variables.items() if name == "name" or random.random() < 0.8}
        wishes = [{"intent": intent} for intent in person.intents if random.random() < 0.7]
        answer = api.end(call, customer_ref=person.ref, variables=kept, intent_updates=wishes)
        assert answer.status_code == 200, answer.text
