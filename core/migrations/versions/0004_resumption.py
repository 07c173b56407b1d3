"""Return to work: mandates, files, codes, key areas, filings, registrations, decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entry_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("check_code", sa.String(length=8), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_reason", sa.String(length=16), nullable=True),
        sa.Column("report_count", sa.Integer(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(report_count = 0) = (reported_at IS NULL)", name=op.f("ck_entry_code_reported")
        ),
        sa.CheckConstraint(
            "retired_reason IN ('rotated', 'retired', 'owner_changed', 'reported', 'expired')",
            name=op.f("ck_entry_code_retired_reason"),
        ),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (retired_reason IS NULL)", name=op.f("ck_entry_code_retired")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_code")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_entry_code_token_hash")),
    )
    op.create_index(op.f("ix_entry_code_subject"), "entry_code", ["subject"], unique=False)
    op.create_index(
        "uq_entry_code_live",
        "entry_code",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "key_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("aliases", sa.String(length=200), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(code) = 6", name=op.f("ck_key_area_code")),
        sa.CheckConstraint("until IS NULL OR until > since", name=op.f("ck_key_area_until")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_area")),
        sa.UniqueConstraint("code", "since", name=op.f("uq_key_area_code_since")),
    )
    op.create_index(op.f("ix_key_area_since"), "key_area", ["since"], unique=False)
    op.create_table(
        "stored_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png')",
            name=op.f("ck_stored_file_media_type"),
        ),
        sa.CheckConstraint(
            "purpose IN ('prevention_plan', 'licence', 'appeal_evidence')", name=op.f("ck_stored_file_purpose")
        ),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_stored_file_size_bytes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("key", name=op.f("uq_stored_file_key")),
    )
    op.create_index(op.f("ix_stored_file_created_at"), "stored_file", ["created_at"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("department", sa.String(length=50), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("listed_count", sa.Integer(), nullable=False),
        sa.Column("applied_count", sa.Integer(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('prepared', 'lapsed', 'applied', 'undone', 'released')",
            name=op.f("ck_decision_state"),
        ),
        sa.CheckConstraint(
            "verdict IN ('approve', 'reject', 'return')", name=op.f("ck_decision_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.id"], name=op.f("fk_decision_company_id_company")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint(
            "company_id", "request_key", name=op.f("uq_decision_company_id_request_key")
        ),
    )
    op.create_index(
        "ix_decision_state_undo_until", "decision", ["state", "undo_until"], unique=False
    )
    op.create_table(
        "filing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("head_count", sa.Integer(), nullable=True),
        sa.Column("returning_count", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("draft_head_count", sa.Integer(), nullable=True),
        sa.Column("draft_returning_count", sa.Integer(), nullable=True),
        sa.Column("draft_plan_id", sa.Integer(), nullable=True),
        sa.Column("commitment", sa.String(length=32), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.String(length=80), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("held_by", sa.Integer(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state = 'draft' OR (number IS NOT NULL AND submitted_at IS NOT NULL AND head_count IS NOT NULL AND returning_count IS NOT NULL AND plan_id IS NOT NULL AND signed_at IS NOT NULL)",
            name=op.f("ck_filing_complete"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved', 'rejected')",
            name=op.f("ck_filing_state"),
        ),
        sa.CheckConstraint("(held_by IS NULL) = (held_until IS NULL)", name=op.f("ck_filing_held")),
        sa.CheckConstraint("draft_head_count > 0", name=op.f("ck_filing_draft_head_count")),
        sa.CheckConstraint(
            "draft_returning_count >= 0", name=op.f("ck_filing_draft_returning_count")
        ),
        sa.CheckConstraint("head_count > 0", name=op.f("ck_filing_head_count")),
        sa.CheckConstraint("returning_count <= head_count", name=op.f("ck_filing_returning")),
        sa.CheckConstraint("returning_count >= 0", name=op.f("ck_filing_returning_count")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.id"], name=op.f("fk_filing_company_id_company")
        ),
        sa.ForeignKeyConstraint(
            ["draft_plan_id"], ["stored_file.id"], name=op.f("fk_filing_draft_plan_id_stored_file")
        ),
        sa.ForeignKeyConstraint(
            ["held_by"], ["staff_account.id"], name=op.f("fk_filing_held_by_staff_account")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["stored_file.id"], name=op.f("fk_filing_plan_id_stored_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing")),
        sa.UniqueConstraint("company_id", name=op.f("uq_filing_company_id")),
        sa.UniqueConstraint("number", name=op.f("uq_filing_number")),
    )
    op.create_index(
        "ix_filing_state_submitted_at", "filing", ["state", "submitted_at"], unique=False
    )
    op.create_table(
        "company_claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner_name", sa.LargeBinary(), nullable=False),
        sa.Column("owner_id_kind", sa.String(length=20), nullable=False),
        sa.Column("owner_id", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("street_id", sa.Integer(), nullable=False),
        sa.Column("industry", sa.String(length=50), nullable=False),
        sa.Column("licence_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("held_by", sa.Integer(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'refused')", name=op.f("ck_company_claim_state")
        ),
        sa.CheckConstraint("length(uscc) = 18", name=op.f("ck_company_claim_uscc")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.id"], name=op.f("fk_company_claim_company_id_company")
        ),
        sa.ForeignKeyConstraint(
            ["held_by"], ["staff_account.id"], name=op.f("fk_company_claim_held_by_staff_account")
        ),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["stored_file.id"], name=op.f("fk_company_claim_licence_id_stored_file")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_company_claim_person_id_person"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["street_id"], ["street.id"], name=op.f("fk_company_claim_street_id_street")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_claim")),
    )
    op.create_index(
        op.f("ix_company_claim_person_id"), "company_claim", ["person_id"], unique=False
    )
    op.create_index(
        "ix_company_claim_state_created_at", "company_claim", ["state", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_company_claim_street_id"), "company_claim", ["street_id"], unique=False
    )
    op.create_index(op.f("ix_company_claim_uscc"), "company_claim", ["uscc"], unique=False)
    op.create_index(
        "uq_company_claim_waiting",
        "company_claim",
        ["person_id", "uscc"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "filing_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("filing_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("head_count", sa.Integer(), nullable=True),
        sa.Column("returning_count", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["filing_id"],
            ["filing.id"],
            name=op.f("fk_filing_step_filing_id_filing"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["stored_file.id"], name=op.f("fk_filing_step_plan_id_stored_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_step")),
    )
    op.create_index("ix_filing_step_filing_id_at", "filing_step", ["filing_id", "at"], unique=False)
    op.create_table(
        "mandate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("department", sa.String(length=50), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("owner_change_id", sa.Integer(), nullable=False),
        sa.Column("invitation_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("invitation_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "(kind = 'manager') = (department <> '')", name=op.f("ck_mandate_department")
        ),
        sa.CheckConstraint("kind IN ('owner', 'filler', 'manager')", name=op.f("ck_mandate_kind")),
        sa.CheckConstraint(
            "state <> 'active' OR person_id IS NOT NULL", name=op.f("ck_mandate_active")
        ),
        sa.CheckConstraint(
            "state IN ('offered', 'active', 'ended')", name=op.f("ck_mandate_state")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.id"], name=op.f("fk_mandate_company_id_company")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_mandate_person_id_person"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("invitation_hash", name=op.f("uq_mandate_invitation_hash")),
    )
    op.create_index(op.f("ix_mandate_company_id"), "mandate", ["company_id"], unique=False)
    op.create_index(op.f("ix_mandate_person_id"), "mandate", ["person_id"], unique=False)
    op.create_index(
        "uq_mandate_active",
        "mandate",
        ["company_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_mandate_owner",
        "mandate",
        ["company_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'owner' AND state = 'active'"),
        postgresql_where=sa.text("kind = 'owner' AND state = 'active'"),
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("code_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("flag_group", sa.String(length=8), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=50), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("name_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("document_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("consent", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "document_kind IN ('resident_id', 'residence_permit', 'permanent_residence', 'travel_permit', 'passport')",
            name=op.f("ck_registration_document_kind"),
        ),
        sa.CheckConstraint(
            "flag_group IN ('fine', 'look', 'cannot')", name=op.f("ck_registration_flag_group")
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'returned', 'approved', 'rejected', 'ended')",
            name=op.f("ck_registration_state"),
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["entry_code.id"], name=op.f("fk_registration_code_id_entry_code")
        ),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_registration_community_id_community"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.id"], name=op.f("fk_registration_company_id_company")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_registration_decision_id_decision")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_registration_person_id_person"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint(
            "document_hash", "company_id", name=op.f("uq_registration_document_hash_company_id")
        ),
        sa.UniqueConstraint("number", name=op.f("uq_registration_number")),
    )
    op.create_index(op.f("ix_registration_code_id"), "registration", ["code_id"], unique=False)
    op.create_index(
        op.f("ix_registration_community_id"), "registration", ["community_id"], unique=False
    )
    op.create_index(op.f("ix_registration_person_id"), "registration", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_registration_phone_hash"), "registration", ["phone_hash"], unique=False
    )
    op.create_index(
        "uq_registration_person",
        "registration",
        ["company_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "ix_registration_sheet",
        "registration",
        ["company_id", "state", "flag_group", "id", "department"],
        unique=False,
    )
    op.create_index(
        "ix_registration_state_changed_at",
        "registration",
        ["state", "changed_at"],
        unique=False,
    )
    op.create_table(
        "registration_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("code_id", sa.Integer(), nullable=True),
        sa.Column("typed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["code_id"], ["entry_code.id"], name=op.f("fk_registration_draft_code_id_entry_code")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["company.id"],
            name=op.f("fk_registration_draft_company_id_company"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_registration_draft_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_draft")),
        sa.UniqueConstraint(
            "person_id", "company_id", name=op.f("uq_registration_draft_person_id_company_id")
        ),
    )
    op.create_index(
        op.f("ix_registration_draft_changed_at"), "registration_draft", ["changed_at"], unique=False
    )
    op.create_table(
        "decision_row",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state_before", sa.String(length=16), nullable=False),
        sa.Column("decision_before_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('listed', 'applied', 'changed', 'decided', 'ended', 'blocked', 'undone', 'kept')",
            name=op.f("ck_decision_row_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["decision_before_id"],
            ["decision.id"],
            name=op.f("fk_decision_row_decision_before_id_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["decision.id"],
            name=op.f("fk_decision_row_decision_id_decision"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_decision_row_registration_id_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("decision_id", "registration_id", name=op.f("pk_decision_row")),
    )
    op.create_index(
        op.f("ix_decision_row_registration_id"), "decision_row", ["registration_id"], unique=False
    )
    op.create_index(
        "ix_decision_row_decision_before_id",
        "decision_row",
        ["decision_before_id"],
        unique=False,
        sqlite_where=sa.text("decision_before_id IS NOT NULL"),
        postgresql_where=sa.text("decision_before_id IS NOT NULL"),
    )


def downgrade() -> None:
    for table in (
        "decision_row",
        "registration_draft",
        "registration",
        "mandate",
        "filing_step",
        "company_claim",
        "filing",
        "decision",
        "stored_file",
        "key_area",
        "entry_code",
    ):
        op.drop_table(table)
