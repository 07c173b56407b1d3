"""The register of legal persons, and what changed about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "company",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner_name", sa.LargeBinary(), nullable=False),
        sa.Column("owner_name_hash", sa.LargeBinary(), nullable=False),
        sa.Column("owner_id_kind", sa.String(length=20), nullable=False),
        sa.Column("owner_id", sa.LargeBinary(), nullable=False),
        sa.Column("owner_id_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("street_id", sa.Integer(), nullable=False),
        sa.Column("industry", sa.String(length=50), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(uscc) = 18", name=op.f("ck_company_uscc")),
        sa.CheckConstraint(
            "kind IN ('enterprise', 'sole_trader', 'cooperative', 'social', 'public', 'other')",
            name=op.f("ck_company_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('active', 'suspended', 'moved', 'revoked', 'deregistered')",
            name=op.f("ck_company_state"),
        ),
        sa.CheckConstraint(
            "owner_id_kind IN ('resident_id', 'residence_permit', 'permanent_residence',"
            " 'travel_permit', 'passport')",
            name=op.f("ck_company_owner_id_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["street_id"], ["street.id"], name=op.f("fk_company_street_id_street")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
        sa.UniqueConstraint("uscc", name=op.f("uq_company_uscc")),
    )
    op.create_index(
        "ix_company_owner", "company", ["owner_id_hash", "owner_name_hash"], unique=False
    )
    op.create_index(op.f("ix_company_name"), "company", ["name"], unique=False)
    op.create_index(op.f("ix_company_street_id"), "company", ["street_id"], unique=False)
    op.create_index(op.f("ix_company_last_seen_at"), "company", ["last_seen_at"], unique=False)
    op.create_table(
        "company_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("old", sa.String(length=200), nullable=True),
        sa.Column("new", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "field IN ('name', 'address', 'street', 'industry', 'state', 'owner', 'owner_name',"
            " 'owner_id_kind')",
            name=op.f("ck_company_change_field"),
        ),
        sa.CheckConstraint(
            "field NOT IN ('owner', 'owner_name', 'owner_id_kind')"
            " OR (old IS NULL AND new IS NULL)",
            name=op.f("ck_company_change_private"),
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["company.id"],
            name=op.f("fk_company_change_company_id_company"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_change")),
    )
    op.create_index(
        "ix_company_change_company_id_field_at",
        "company_change",
        ["company_id", "field", "at"],
        unique=False,
    )


def downgrade() -> None:

    op.drop_index("ix_company_change_company_id_field_at", table_name="company_change")
    op.drop_table("company_change")
    op.drop_index(op.f("ix_company_last_seen_at"), table_name="company")
    op.drop_index(op.f("ix_company_street_id"), table_name="company")
    op.drop_index(op.f("ix_company_name"), table_name="company")
    op.drop_index("ix_company_owner", table_name="company")
    op.drop_table("company")
