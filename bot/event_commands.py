"""`flask risk event …`: epidemic events by hand, for operators.

The person is typed at a prompt, or comes by standard input: an argument would stay in a history
and in the list of processes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click
from flask import current_app
from flask.cli import AppGroup

from bot.risk_commands import DAY, staff_id_of, telling
from bot.services import services_of
from core.clock import day_of
from core.db import Database
from core.people.staff.rules import Area
from core.places.service import get_place
from core.risk.events.rules import Ending, EventKind

_MESSAGES: Final = {
    "person_missing": "no identifier was typed",
    "document_check_digit": "the check digit of this number is wrong: a slip somewhere",
    "event_day": "the event would be reported in the future",
    "event_birth": "the event would be reported before the person was born",
    "event_end": "the end is before the report, or in the future",
    "event_known": "such an event of this person and day is known; `find` tells its number",
    "event_home_unknown": "nothing says where the person lives: check the identifier, "
    "then give --community or --home-unknown",
    "event_not_found": "there is no such event",
    "event_withdrawn": "it was withdrawn already, for another reason",
    "event_reason": "give a reason of at most {max} characters",
    "community_not_found": "there is no such community",
}
# A larger number is no row's, and one database refuses it.
MAX_ID: Final = 2**31 - 1
BY: Final = click.option("--by", "name", required=True, help="Login name of whoever does it.")

event = AppGroup("event", help="Epidemic events by hand: add, find, withdraw.")


def _database() -> Database:
    return services_of(current_app).database


def _now() -> datetime:
    return datetime.now(UTC)


def _asked_person() -> str:
    from core.risk.events.entering import person_id_of

    typed = click.prompt("identifier of the person", default="", show_default=False, err=True)
    return person_id_of(typed, today=day_of(_now()))


@event.command("add")
@click.option("--kind", type=click.Choice([one.value for one in EventKind]), required=True)
@click.option("--on", "reported_on", type=DAY, required=True, help="The day of the report.")
@click.option("--ended-on", type=DAY, help="The day on which it was over.")
@click.option("--ending", type=click.Choice([one.value for one in Ending]))
@click.option("--cluster", default="", help="A name that linked infections share.")
@click.option("--route", default="", help="How it was found.")
@click.option("--community", "code", default="", help="Code of where an unknown person lives.")
@click.option("--home-unknown", is_flag=True, help="Nobody knows where; onto the work-list.")
@BY
def event_add(
    kind: str,
    reported_on: datetime,
    ended_on: datetime | None,
    ending: str | None,
    cluster: str,
    route: str,
    code: str,
    name: str,
    *,
    home_unknown: bool,
) -> None:
    """Enter an event of the person whose identifier is typed; colours of today move at once."""
    from core.risk.events.entering import EventEntry, enter_event

    with telling(_MESSAGES):
        person_id = _asked_person()
        with _database().transaction() as session:
            entry = EventEntry(
                person_id=person_id,
                kind=EventKind(kind),
                reported_on=reported_on.date(),
                ended_on=ended_on.date() if ended_on else None,
                ending=Ending(ending) if ending else None,
                cluster=cluster,
                route=route,
                community_id=get_place(session, code=code).id if code else None,
                is_home_unknown=home_unknown,
            )
            staff_id = staff_id_of(session, name)
            event_id = enter_event(session, entry=entry, area=Area(), staff_id=staff_id, now=_now())
    click.echo(f"event {event_id} entered")


@event.command("find")
@BY
def event_find(name: str) -> None:
    """List the events of the person whose identifier is typed; that is recorded."""
    from core.risk.events.listing import search_events

    now = _now()
    with telling(_MESSAGES):
        person_id = _asked_person()
        with _database().transaction() as session:
            page = search_events(
                session,
                person_id=person_id,
                area=Area(),
                staff_id=staff_id_of(session, name),
                today=day_of(now),
                now=now,
            )
    for one in page.rows:
        place = one.place.code if one.place else "-"
        click.echo(f"{one.id}\t{one.kind}\t{one.reported_on}\t{one.state}\t{place}")


@event.command("withdraw")
@click.argument("event_id", type=click.IntRange(1, MAX_ID))
@click.option("--reason", required=True, help="Why it was wrong; names nobody.")
@BY
def event_withdraw(event_id: int, reason: str, name: str) -> None:
    """Take back event EVENT_ID; its days are scored again, and no file brings it back."""
    from core.risk.events.entering import withdraw_event

    with telling(_MESSAGES), _database().transaction() as session:
        days = withdraw_event(
            session,
            event_id=event_id,
            reason=reason,
            area=Area(),
            staff_id=staff_id_of(session, name),
            now=_now(),
        )
    click.echo(f"event {event_id} withdrawn; {len(days)} days scored again")
