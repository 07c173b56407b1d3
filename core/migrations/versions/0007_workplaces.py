"""Workplaces: what companies, shops and sites share; registrations are with one of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_RUNNING_STATES = "'active', 'suspended', 'moved', 'revoked', 'deregistered'"
_TAKEN_UP = """
INSERT INTO workplace (id, face, name, address, street_id, state, admission, head_count)
SELECT company.id, 'company', company.name, company.address, company.street_id, company.state,
       CASE WHEN filing.state IN ('submitted', 'returned', 'approved') THEN 'open'
            WHEN filing.state = 'rejected' THEN 'refused'
            ELSE 'pending' END,
       filing.head_count
FROM company LEFT JOIN filing ON filing.company_id = company.id
"""
_GIVEN_BACK = """
UPDATE company
SET name = (SELECT name FROM workplace WHERE workplace.id = company.id),
    address = (SELECT address FROM workplace WHERE workplace.id = company.id),
    street_id = (SELECT street_id FROM workplace WHERE workplace.id = company.id),
    state = (SELECT state FROM workplace WHERE workplace.id = company.id)
"""


def upgrade() -> None:
    _create_workplace()
    op.execute(_TAKEN_UP)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('workplace', 'id'),"
            " coalesce((SELECT max(id) FROM workplace), 0) + 1, false)"
        )
        op.alter_column("company", "id", server_default=None)
        op.execute("DROP SEQUENCE company_id_seq")
    with op.batch_alter_table("company") as batch:
        batch.drop_index(op.f("ix_company_name"))
        batch.drop_index(op.f("ix_company_street_id"))
        batch.drop_constraint(op.f("ck_company_state"), type_="check")
        batch.drop_constraint(op.f("fk_company_street_id_street"), type_="foreignkey")
        for column in ("name", "address", "street_id", "state"):
            batch.drop_column(column)
        batch.create_foreign_key(op.f("fk_company_id_workplace"), "workplace", ["id"], ["id"])
    _point_registrations("company", "workplace")


def downgrade() -> None:
    _point_registrations("workplace", "company")
    with op.batch_alter_table("company") as batch:
        batch.drop_constraint(op.f("fk_company_id_workplace"), type_="foreignkey")
        batch.add_column(sa.Column("name", sa.String(length=100), nullable=True))
        batch.add_column(sa.Column("address", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("street_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("state", sa.String(length=16), nullable=True))
    op.execute(_GIVEN_BACK)
    with op.batch_alter_table("company") as batch:
        for name, kind in (
            ("name", sa.String(length=100)),
            ("address", sa.String(length=200)),
            ("street_id", sa.Integer()),
            ("state", sa.String(length=16)),
        ):
            batch.alter_column(name, existing_type=kind, nullable=False)
        batch.create_check_constraint("state", f"state IN ({_RUNNING_STATES})")
        batch.create_foreign_key(op.f("fk_company_street_id_street"), "street", ["street_id"], ["id"])
        batch.create_index(op.f("ix_company_name"), ["name"])
        batch.create_index(op.f("ix_company_street_id"), ["street_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE company_id_seq OWNED BY company.id")
        op.execute(
            "SELECT setval('company_id_seq', coalesce((SELECT max(id) FROM company), 0) + 1, false)"
        )
        op.execute("ALTER TABLE company ALTER id SET DEFAULT nextval('company_id_seq')")
    op.drop_table("workplace")


def _create_workplace() -> None:
    op.create_table(
        "workplace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("face", sa.String(length=8), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("street_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("admission", sa.String(length=8), nullable=False),
        sa.Column("head_count", sa.Integer(), nullable=True),
        sa.CheckConstraint("face IN ('company', 'shop', 'site')", name=op.f("ck_workplace_face")),
        sa.CheckConstraint(
            f"state IN ({_RUNNING_STATES}, 'finished')", name=op.f("ck_workplace_state")
        ),
        sa.CheckConstraint(
            "admission IN ('pending', 'open', 'refused')", name=op.f("ck_workplace_admission")
        ),
        sa.CheckConstraint(
            "head_count IS NULL OR head_count >= 0", name=op.f("ck_workplace_head_count")
        ),
        sa.CheckConstraint(
            "face <> 'company' OR holder_id IS NULL", name=op.f("ck_workplace_holder")
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["workplace.id"], name=op.f("fk_workplace_holder_id_workplace")
        ),
        sa.ForeignKeyConstraint(
            ["street_id"], ["street.id"], name=op.f("fk_workplace_street_id_street")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workplace")),
    )
    op.create_index(op.f("ix_workplace_holder_id"), "workplace", ["holder_id"], unique=False)
    op.create_index(op.f("ix_workplace_name"), "workplace", ["name"], unique=False)
    op.create_index(op.f("ix_workplace_street_id"), "workplace", ["street_id"], unique=False)


def _point_registrations(old: str, new: str) -> None:
    """Let registrations and their drafts name the other table, under the same numbers."""
    with op.batch_alter_table("registration") as batch:
        batch.drop_index(op.f("uq_registration_person"))
        batch.drop_index(op.f("ix_registration_sheet"))
        batch.drop_constraint(op.f(f"uq_registration_document_hash_{old}_id"), type_="unique")
        batch.drop_constraint(op.f(f"fk_registration_{old}_id_{old}"), type_="foreignkey")
        batch.alter_column(f"{old}_id", new_column_name=f"{new}_id")
    with op.batch_alter_table("registration") as batch:
        batch.create_foreign_key(op.f(f"fk_registration_{new}_id_{new}"), new, [f"{new}_id"], ["id"])
        batch.create_unique_constraint(
            op.f(f"uq_registration_document_hash_{new}_id"), ["document_hash", f"{new}_id"]
        )
    op.create_index(
        "uq_registration_person",
        "registration",
        [f"{new}_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "ix_registration_sheet",
        "registration",
        [f"{new}_id", "state", "flag_group", "id", "department"],
    )
    with op.batch_alter_table("registration_draft") as batch:
        batch.drop_constraint(op.f(f"uq_registration_draft_person_id_{old}_id"), type_="unique")
        batch.drop_constraint(op.f(f"fk_registration_draft_{old}_id_{old}"), type_="foreignkey")
        batch.alter_column(f"{old}_id", new_column_name=f"{new}_id")
    with op.batch_alter_table("registration_draft") as batch:
        batch.create_foreign_key(
            op.f(f"fk_registration_draft_{new}_id_{new}"),
            new,
            [f"{new}_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch.create_unique_constraint(
            op.f(f"uq_registration_draft_person_id_{new}_id"), ["person_id", f"{new}_id"]
        )
