"""Arrivals at Shanghai South: trains, tickets, counts, the ticket feed, forecasts and grades."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "train_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("train_class", sa.String(length=12), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("origin_code", sa.String(length=6), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("live_delay_minutes", sa.Integer(), nullable=True),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "train_class IN ('high_speed', 'emu', 'intercity', 'direct', 'express', 'fast',"
            " 'other')",
            name=op.f("ck_train_run_train_class"),
        ),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_train_run_capacity")),
        sa.CheckConstraint(
            "live_delay_minutes BETWEEN -60 AND 1440",
            name=op.f("ck_train_run_live_delay_minutes"),
        ),
        sa.CheckConstraint("length(origin_code) IN (0, 6)", name=op.f("ck_train_run_origin_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_train_run")),
        sa.UniqueConstraint("day", "number", name=op.f("uq_train_run_day_number")),
    )
    op.create_index(op.f("ix_train_run_scheduled_at"), "train_run", ["scheduled_at"], unique=False)
    op.create_table(
        "ticket_sale",
        sa.Column("train_run_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.CheckConstraint("sold >= 0", name=op.f("ck_ticket_sale_sold")),
        sa.ForeignKeyConstraint(
            ["train_run_id"],
            ["train_run.id"],
            name=op.f("fk_ticket_sale_train_run_id_train_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("train_run_id", "at", name=op.f("pk_ticket_sale")),
    )
    op.create_table(
        "train_arrival",
        sa.Column("train_run_id", sa.Integer(), nullable=False),
        sa.Column("actual_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alighted", sa.Integer(), nullable=True),
        sa.CheckConstraint("alighted >= 0", name=op.f("ck_train_arrival_alighted")),
        sa.ForeignKeyConstraint(
            ["train_run_id"],
            ["train_run.id"],
            name=op.f("fk_train_arrival_train_run_id_train_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("train_run_id", name=op.f("pk_train_arrival")),
    )
    op.create_table(
        "gate_count",
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 5 AND 60", name=op.f("ck_gate_count_minutes")),
        sa.CheckConstraint("count >= 0", name=op.f("ck_gate_count_count")),
        sa.PrimaryKeyConstraint("starts_at", name=op.f("pk_gate_count")),
    )
    op.create_table(
        "ticket_feed",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("watermark", sa.String(length=200), nullable=False),
        sa.Column("complete_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=40), nullable=False),
        sa.CheckConstraint("failed_count >= 0", name=op.f("ck_ticket_feed_failed_count")),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_ticket_feed")),
    )
    op.create_table(
        "fitted_reference",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("fitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_fitted_reference")),
    )
    op.create_table(
        "issued_forecast",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occasion", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "occasion IN ('midnight', 'hourly', 'data')",
            name=op.f("ck_issued_forecast_occasion"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_forecast")),
        sa.UniqueConstraint("from_at", "made_at", name=op.f("uq_issued_forecast_from_at_made_at")),
    )
    op.create_index(
        op.f("ix_issued_forecast_made_at"), "issued_forecast", ["made_at"], unique=False
    )
    op.create_table(
        "forecast_grade",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("forecast_id", sa.Integer(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("baselines", sa.JSON(), nullable=False),
        sa.Column("graded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["forecast_id"],
            ["issued_forecast.id"],
            name=op.f("fk_forecast_grade_forecast_id_issued_forecast"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_forecast_grade")),
    )
    op.create_table(
        "station_setting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_setting")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_station_setting_valid_from")),
    )


def downgrade() -> None:
    for name in (
        *("station_setting", "forecast_grade", "issued_forecast", "fitted_reference"),
        *("ticket_feed", "gate_count", "train_arrival", "ticket_sale"),
    ):
        op.drop_table(name)
    op.drop_table("train_run")
