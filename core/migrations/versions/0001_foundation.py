"""The foundation: places, people, risk, papers, outbox, audit, short-lived state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_actor"), "audit_entry", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_subject_at", "audit_entry", ["subject", "at"], unique=False)
    op.create_table(
        "job_run",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_job_run_state")),
        sa.PrimaryKeyConstraint("day", "step", name=op.f("pk_job_run")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("client_msg_id", sa.String(length=32), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("page_path", sa.String(length=200), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.String(length=80), nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=True),
        sa.Column("template_id", sa.String(length=64), nullable=False),
        sa.Column("attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_msg_id", sa.String(length=64), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("error_reason", sa.String(length=200), nullable=False),
        sa.Column("dead_reason", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "(state = 'dead') = (dead_reason IS NOT NULL)", name=op.f("ck_notice_dead")
        ),
        sa.CheckConstraint(
            "(state = 'leased') = (leased_by IS NOT NULL)", name=op.f("ck_notice_lease")
        ),
        sa.CheckConstraint(
            "channel IS NULL OR channel IN ('template', 'subscribe', 'custom')",
            name=op.f("ck_notice_channel"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'leased', 'sent', 'delivered', 'dead')",
            name=op.f("ck_notice_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('sent', 'delivered') OR (sent_at IS NOT NULL AND channel IS NOT NULL)",
            name=op.f("ck_notice_sent"),
        ),
        sa.CheckConstraint(
            "attempt_at IS NULL OR channel IS NOT NULL", name=op.f("ck_notice_attempt")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_notice_attempts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("client_msg_id", name=op.f("uq_notice_client_msg_id")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index(
        "ix_notice_due",
        "notice",
        ["priority", "next_at", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'leased')"),
        postgresql_where=sa.text("state IN ('queued', 'leased')"),
    )
    op.create_index(op.f("ix_notice_openid"), "notice", ["openid"], unique=False)
    op.create_index(op.f("ix_notice_platform_msg_id"), "notice", ["platform_msg_id"], unique=False)
    op.create_table(
        "notice_receipt",
        sa.Column("platform_msg_id", sa.String(length=64), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform_msg_id", name=op.f("pk_notice_receipt")),
    )
    op.create_index(op.f("ix_notice_receipt_openid"), "notice_receipt", ["openid"], unique=False)
    op.create_index(
        op.f("ix_notice_receipt_received_at"), "notice_receipt", ["received_at"], unique=False
    )
    op.create_table(
        "place_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_place_revision_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_revision")),
    )
    op.create_table(
        "state_counter",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_state_counter")),
    )
    op.create_index(
        op.f("ix_state_counter_expires_at"), "state_counter", ["expires_at"], unique=False
    )
    op.create_table(
        "state_item",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_state_item")),
    )
    op.create_index(op.f("ix_state_item_expires_at"), "state_item", ["expires_at"], unique=False)
    op.create_table(
        "state_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_message")),
        sa.UniqueConstraint("key", name=op.f("uq_state_message_key")),
    )
    op.create_index(
        op.f("ix_state_message_expires_at"), "state_message", ["expires_at"], unique=False
    )
    op.create_index("ix_state_message_openid_id", "state_message", ["openid", "id"], unique=False)
    op.create_table(
        "street",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_street")),
        sa.UniqueConstraint("code", name=op.f("uq_street_code")),
        sa.UniqueConstraint("name", name=op.f("uq_street_name")),
    )
    op.create_table(
        "community",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("street_id", sa.Integer(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f("ck_community_latitude")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f("ck_community_longitude")),
        sa.CheckConstraint("population >= 0", name=op.f("ck_community_population")),
        sa.ForeignKeyConstraint(
            ["street_id"], ["street.id"], name=op.f("fk_community_street_id_street")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community")),
        sa.UniqueConstraint("code", name=op.f("uq_community_code")),
    )
    op.create_index(op.f("ix_community_name"), "community", ["name"], unique=False)
    op.create_index(op.f("ix_community_street_id"), "community", ["street_id"], unique=False)
    op.create_table(
        "paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("street_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["street_id"], ["street.id"], name=op.f("fk_paper_street_id_street"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("url", name=op.f("uq_paper_url")),
    )
    op.create_index(op.f("ix_paper_published_on"), "paper", ["published_on"], unique=False)
    op.create_index(
        "ix_paper_street_id_published_on", "paper", ["street_id", "published_on"], unique=False
    )
    op.create_table(
        "community_alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_community_alias_community_id_community"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_alias")),
        sa.UniqueConstraint(
            "community_id", "name", name=op.f("uq_community_alias_community_id_name")
        ),
    )
    op.create_table(
        "indicator_value",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("indicator", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_indicator_value_value")),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_indicator_value_community_id_community"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "day", "community_id", "indicator", name=op.f("pk_indicator_value")
        ),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("unionid", sa.String(length=64), nullable=True),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("is_following", sa.Boolean(), nullable=True),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unfollowed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("came_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_person_community_id_community"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("openid", name=op.f("uq_person_openid")),
    )
    op.create_index(op.f("ix_person_community_id"), "person", ["community_id"], unique=False)
    op.create_index(op.f("ix_person_unionid"), "person", ["unionid"], unique=False)
    op.create_table(
        "risk_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("colour", sa.String(length=8), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("lo", sa.Float(), nullable=False),
        sa.Column("hi", sa.Float(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "NOT is_published OR colour <> 'grey'", name=op.f("ck_risk_score_published_colour")
        ),
        sa.CheckConstraint(
            "colour IN ('red', 'yellow', 'blue', 'grey')", name=op.f("ck_risk_score_colour")
        ),
        sa.CheckConstraint("coverage BETWEEN 0 AND 1", name=op.f("ck_risk_score_coverage")),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_risk_score_score")),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_risk_score_community_id_community"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_score")),
        sa.UniqueConstraint(
            "community_id", "day", "version", name=op.f("uq_risk_score_community_id_day_version")
        ),
    )
    op.create_index("ix_risk_score_day", "risk_score", ["day"], unique=False)
    op.create_index(
        "uq_risk_score_published",
        "risk_score",
        ["community_id", "day"],
        unique=True,
        sqlite_where=sa.text("is_published = 1"),
        postgresql_where=sa.text("is_published"),
    )
    op.create_table(
        "colour_subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_colour", sa.String(length=8), nullable=True),
        sa.CheckConstraint(
            "told_colour IN ('red', 'yellow', 'blue', 'grey')",
            name=op.f("ck_colour_subscription_told_colour"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_colour_subscription_community_id_community"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_colour_subscription_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_colour_subscription")),
        sa.UniqueConstraint(
            "community_id", "person_id", name=op.f("uq_colour_subscription_community_id_person_id")
        ),
    )
    op.create_index(
        op.f("ix_colour_subscription_person_id"), "colour_subscription", ["person_id"], unique=False
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("wording", sa.String(length=32), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_consent_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(
        "uq_consent_standing",
        "consent",
        ["person_id", "purpose"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "message_consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.String(length=64), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("remaining >= 0", name=op.f("ck_message_consent_remaining")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_message_consent_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_consent")),
        sa.UniqueConstraint(
            "person_id", "template_id", name=op.f("uq_message_consent_person_id_template_id")
        ),
    )


def downgrade() -> None:

    op.drop_table("message_consent")
    op.drop_index(
        "uq_consent_standing",
        table_name="consent",
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.drop_table("consent")
    op.drop_index(op.f("ix_colour_subscription_person_id"), table_name="colour_subscription")
    op.drop_table("colour_subscription")
    op.drop_index(
        "uq_risk_score_published",
        table_name="risk_score",
        sqlite_where=sa.text("is_published = 1"),
        postgresql_where=sa.text("is_published"),
    )
    op.drop_index("ix_risk_score_day", table_name="risk_score")
    op.drop_table("risk_score")
    op.drop_index(op.f("ix_person_unionid"), table_name="person")
    op.drop_index(op.f("ix_person_community_id"), table_name="person")
    op.drop_table("person")
    op.drop_table("indicator_value")
    op.drop_table("community_alias")
    op.drop_index("ix_paper_street_id_published_on", table_name="paper")
    op.drop_index(op.f("ix_paper_published_on"), table_name="paper")
    op.drop_table("paper")
    op.drop_index(op.f("ix_community_street_id"), table_name="community")
    op.drop_index(op.f("ix_community_name"), table_name="community")
    op.drop_table("community")
    op.drop_table("street")
    op.drop_index("ix_state_message_openid_id", table_name="state_message")
    op.drop_index(op.f("ix_state_message_expires_at"), table_name="state_message")
    op.drop_table("state_message")
    op.drop_index(op.f("ix_state_item_expires_at"), table_name="state_item")
    op.drop_table("state_item")
    op.drop_index(op.f("ix_state_counter_expires_at"), table_name="state_counter")
    op.drop_table("state_counter")
    op.drop_table("place_revision")
    op.drop_index(op.f("ix_notice_receipt_received_at"), table_name="notice_receipt")
    op.drop_index(op.f("ix_notice_receipt_openid"), table_name="notice_receipt")
    op.drop_table("notice_receipt")
    op.drop_index(op.f("ix_notice_platform_msg_id"), table_name="notice")
    op.drop_index(op.f("ix_notice_openid"), table_name="notice")
    op.drop_index(
        "ix_notice_due",
        table_name="notice",
        sqlite_where=sa.text("state IN ('queued', 'leased')"),
        postgresql_where=sa.text("state IN ('queued', 'leased')"),
    )
    op.drop_table("notice")
    op.drop_table("job_run")
    op.drop_index("ix_audit_entry_subject_at", table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_at"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_actor"), table_name="audit_entry")
    op.drop_table("audit_entry")
