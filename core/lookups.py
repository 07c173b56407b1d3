"""Look-ups of the hot path: a select that is compiled once and run on the driver itself.

What the toolkit does around a statement takes several times as long as finding one row by a key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Dialect, Select
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

_Convert: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A statement as one kind of database takes it.

    Attributes:
        text: in the driver's own spelling.
        fixed: the values that stand in the statement itself, by name.
        given: names of the values of a call, and how the driver wants them.
        order: names in the order of their marks; None where the driver takes names.
        error: what the driver raises.
    """

    text: str
    fixed: dict[str, Any]
    given: tuple[tuple[str, _Convert | None], ...]
    order: tuple[str, ...] | None
    error: type[Exception]


class Lookup:
    """A select that returns the first row for the values of its parameters."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        """Keep the statement; it is compiled at its first use."""
        self._statement: Final = statement
        self._plans: dict[str, _Plan] = {}
        # Position and conversion of the columns that a driver gives in its own way.
        self._columns: dict[str, tuple[tuple[int, _Convert], ...]] = {}

    def first(self, session: Session, **values: Any) -> Sequence[Any] | None:
        """Return the first row, or None.

        Args:
            session: any; what was changed in it must have been flushed.
            **values: of the parameters of the statement, all of them.

        Raises:
            DBAPIError: as any statement of the session.
        """
        connection = session.connection()
        dialect = connection.dialect
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = self._plan_for(dialect)
        try:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(plan.text, _parameters(plan, values))
                row = cursor.fetchone()
                columns = self._columns.get(dialect.name)
                if columns is None:
                    columns = self._columns_for(dialect, cursor.description)
                    self._columns[dialect.name] = columns
            finally:
                cursor.close()
        except plan.error:
            # The usual way tells what is wrong in the usual errors, and looks after the connection.
            return session.connection().execute(self._statement, values).first()
        return None if row is None else _converted(row, columns)

    def _plan_for(self, dialect: Dialect) -> _Plan:
        compiled: Any = self._statement.compile(dialect=dialect)
        given, fixed = [], {}
        for bind, name in compiled.bind_names.items():
            if bind.required:
                convert = _implementation(bind.type, dialect).bind_processor(dialect)
                given.append((name, convert))
            else:
                fixed[name] = bind.effective_value
        return _Plan(
            text=compiled.string,
            fixed=fixed,
            given=tuple(given),
            order=tuple(compiled.positiontup) if compiled.positional else None,
            error=dialect.loaded_dbapi.Error,
        )

    def _columns_for(
        self, dialect: Dialect, description: Sequence[Sequence[Any]]
    ) -> tuple[tuple[int, _Convert], ...]:
        converts = (
            _implementation(column.type, dialect).result_processor(dialect, told[1])
            for column, told in zip(self._statement.selected_columns, description, strict=True)
        )
        return tuple((place, one) for place, one in enumerate(converts) if one is not None)


def _converted(row: Sequence[Any], columns: tuple[tuple[int, _Convert], ...]) -> Sequence[Any]:
    if not columns:
        return row
    found = list(row)
    for place, convert in columns:
        found[place] = convert(found[place])
    return found


def _implementation(kind: TypeEngine[Any], dialect: Dialect) -> Any:
    return kind.dialect_impl(dialect)


def _parameters(plan: _Plan, values: dict[str, Any]) -> Any:
    named = plan.fixed.copy()
    for name, convert in plan.given:
        value = values[name]
        named[name] = value if convert is None else convert(value)
    return named if plan.order is None else [named[name] for name in plan.order]
