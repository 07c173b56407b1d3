"""Codes of the account, consents given on a page, owners who wait, check codes that are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_code")),
        sa.UniqueConstraint("subject", name=op.f("uq_account_code_subject")),
    )
    op.create_index(
        "ix_entry_code_check_code",
        "entry_code",
        ["check_code"],
        unique=False,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.add_column(
        "message_consent", sa.Column("said_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "message_consent", sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("mandate", sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_mandate_waits_until",
        "mandate",
        ["waits_until"],
        unique=False,
        sqlite_where=sa.text("waits_until IS NOT NULL AND state = 'offered'"),
        postgresql_where=sa.text("waits_until IS NOT NULL AND state = 'offered'"),
    )


def downgrade() -> None:
    op.drop_index("ix_mandate_waits_until", table_name="mandate")
    op.drop_column("mandate", "waits_until")
    op.drop_column("message_consent", "heard_at")
    op.drop_column("message_consent", "said_at")
    op.drop_index("ix_entry_code_check_code", table_name="entry_code")
    op.drop_table("account_code")
