"""Puts the simulator into the product's application, in development."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import String, cast, literal, select

from bot.menu import menu_of
from bot.settings import Settings
from bot.simulator.api import publish_menu, published_menu
from bot.simulator.ledger import Ledger
from bot.simulator.phone import KnownOwner, ScenePlace, create_blueprint
from core.codes.model import EntryCode
from core.codes.rules import address_of
from core.db import Database
from core.places.model import Community, Street
from core.registry.model import Company
from handlers.access import Access, access
from handlers.chat.events import COMMUNITY_SCENE, STREET_SCENE

PREFIX = "simulator."
CODES_SHOWN = 20


def mount(app: Flask, settings: Settings) -> None:
    """Add /simulator/ with the phone, and the stand-in of WeChat's API below it.

    Raises:
        RuntimeError: in production, where anybody could speak for anybody.
    """
    if settings.is_production:
        raise RuntimeError("the simulator does not exist in production")
    database: Database = app.extensions["huizhili"].database
    ledger = Ledger(settings.instance_dir / "simulator.db")
    with ledger.writing() as desk:
        # A phone without the menu would hide half of what the account can do.
        if published_menu(desk) is None:
            publish_menu(desk, menu_of(settings))
    app.register_blueprint(
        create_blueprint(
            settings,
            places=lambda: [
                *codes_of(database, settings.resolved_public_url, now=datetime.now(UTC)),
                *places_of(database),
            ],
            owners=lambda: owners_of(database),
            ledger_path=ledger.path,
        )
    )
    for name, view in list(app.view_functions.items()):
        if name.startswith(PREFIX):
            app.view_functions[name] = access(Access.DEVELOPER)(_function(view))


def places_of(database: Database) -> list[ScenePlace]:
    """Return the streets, then the communities, each in the order of the codes."""
    with database.reading() as session:
        streets = session.execute(select(Street.code, Street.name).order_by(Street.code)).all()
        communities = session.execute(
            select(
                Community.code,
                Community.name,
                Street.name.label("street"),
                Community.longitude,
                Community.latitude,
            )
            .join(Community.street)
            .order_by(Community.code)
        ).all()
    return [
        ScenePlace(scene=STREET_SCENE + row.code, name=row.name, kind="street") for row in streets
    ] + [
        ScenePlace(
            scene=COMMUNITY_SCENE + row.code,
            name=row.name,
            kind="community",
            street=row.street,
            longitude=row.longitude,
            latitude=row.latitude,
        )
        for row in communities
    ]


def codes_of(database: Database, public_url: str, *, now: datetime) -> list[ScenePlace]:
    """Return the codes of companies that can be scanned, the newest first, as their addresses."""
    with database.reading() as session:
        rows = session.execute(
            select(EntryCode.token, Company.name)
            .join(Company, EntryCode.subject == literal("company:") + cast(Company.id, String))
            .where(EntryCode.retired_at.is_(None), EntryCode.expires_at > now)
            .order_by(EntryCode.id.desc())
            .limit(CODES_SHOWN)
        ).all()
    return [
        ScenePlace(scene=address_of(public_url, token), name=name, kind="company")
        for token, name in rows
    ]


def owners_of(database: Database) -> list[KnownOwner]:
    """Return the owners of the demo district with whom the story begins; empty without it."""
    from bot.demo.resumption import story_companies

    fresh, filed = story_companies()
    with database.reading() as session:
        known = session.scalars(
            select(Company.uscc).where(Company.uscc.in_([fresh.uscc, filed.uscc]))
        ).all()
    return [
        KnownOwner(
            name=company.owner.name,
            number=company.owner.number,
            company=company.name,
            has_filed=company is filed,
        )
        for company in (fresh, filed)
        if company.uscc in known
    ]


def _function(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plain function: methods of an object cannot carry a mark."""

    def call(**values: Any) -> Any:
        return view(**values)

    return call
