"""`flask sites …`: by when sites report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from flask import current_app
from flask.cli import AppGroup

from bot.services import services_of
from core.clock import day_of

sites = AppGroup("sites", help="Construction sites.")


@sites.command("due")
@click.argument("due", type=click.DateTime(formats=["%H:%M"]), required=False)
def sites_due(due: datetime | None) -> None:
    """Show by which time of day sites report, or set it, as 10:00, from tomorrow on."""
    from core.sites.settings import find_due, set_due

    now = datetime.now(UTC)
    with services_of(current_app).database.transaction() as session:
        if due is not None:
            set_due(session, due=due.time(), actor="operator:sites", now=now)
        for word, days in (("today", 0), ("from tomorrow on", 1)):
            day = day_of(now) + timedelta(days=days)
            click.echo(f"{word} sites report by {find_due(session, day=day):%H:%M}")
