"""Community risk from people: residents, events, rulings, model versions, publications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLOURS = "'red', 'yellow', 'blue', 'grey'"
# Both databases add a column with its constraint in this one form.
_CHECKED = (
    "ALTER TABLE indicator_value ADD COLUMN origin VARCHAR(8) DEFAULT 'imported' NOT NULL"
    " CONSTRAINT ck_indicator_value_origin"
    " CHECK (origin IN ('computed', 'imported', 'appeal'))",
    "ALTER TABLE risk_score ADD COLUMN score_colour VARCHAR(8) DEFAULT 'grey' NOT NULL"
    f" CONSTRAINT ck_risk_score_score_colour CHECK (score_colour IN ({_COLOURS}))",
    "ALTER TABLE risk_score ADD COLUMN computed_colour VARCHAR(8) DEFAULT 'grey' NOT NULL"
    f" CONSTRAINT ck_risk_score_computed_colour CHECK (computed_colour IN ({_COLOURS}))",
)


def upgrade() -> None:
    op.create_table('feed_delivery',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('feed', sa.String(length=16), nullable=False),
    sa.Column('watermark', sa.Date(), nullable=False),
    sa.Column('row_count', sa.Integer(), nullable=False),
    sa.Column('rejected_count', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('row_count >= 0 AND rejected_count >= 0', name=op.f('ck_feed_delivery_counts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feed_delivery'))
    )
    op.create_index('ix_feed_delivery_feed_watermark', 'feed_delivery', ['feed', 'watermark'], unique=False)
    op.create_index(op.f('ix_feed_delivery_received_at'), 'feed_delivery', ['received_at'], unique=False)

    op.create_table('resident',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('id_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('birth_year', sa.SmallInteger(), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('birth_year BETWEEN 1850 AND 2200', name=op.f('ck_resident_birth_year')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resident')),
    sa.UniqueConstraint('id_hash', name=op.f('uq_resident_id_hash'))
    )
    op.create_table('risk_model',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.Column('role', sa.String(length=12), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('proposed_by', sa.String(length=80), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.String(length=80), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role IN ('champion', 'challenger')", name=op.f('ck_risk_model_role')),
    sa.CheckConstraint("state IN ('proposed', 'approved', 'refused', 'retired')", name=op.f('ck_risk_model_state')),
    sa.CheckConstraint('decided_by <> proposed_by', name=op.f('ck_risk_model_two_people')),
    sa.CheckConstraint("state <> 'approved' OR decided_by IS NOT NULL", name=op.f('ck_risk_model_approved')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_risk_model'))
    )
    op.create_index(op.f('ix_risk_model_name'), 'risk_model', ['name'], unique=False)
    op.create_index('uq_risk_model_proposed', 'risk_model', ['name', 'role'], unique=True, sqlite_where=sa.text("state = 'proposed'"), postgresql_where=sa.text("state = 'proposed'"))

    op.create_table('risk_publication',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('version', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=16), nullable=False),
    sa.Column('community_count', sa.Integer(), nullable=False),
    sa.Column('grey_count', sa.Integer(), nullable=False),
    sa.Column('jump_count', sa.Integer(), nullable=False),
    sa.Column('scored_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('released_by', sa.String(length=80), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('release_reason', sa.Text(), nullable=False),
    sa.CheckConstraint("(state = 'held') = (released_by IS NULL AND reason <> '')", name=op.f('ck_risk_publication_held')),
    sa.CheckConstraint("state IN ('published', 'held', 'released')", name=op.f('ck_risk_publication_state')),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_risk_publication'))
    )
    op.create_table('appeal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('indicator', sa.String(length=32), nullable=False),
    sa.Column('computed_value', sa.Float(), nullable=True),
    sa.Column('claimed_value', sa.Float(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('file_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('raised_by', sa.Integer(), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recommended', sa.String(length=12), nullable=True),
    sa.Column('recommended_by', sa.Integer(), nullable=True),
    sa.Column('recommended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recommendation_reason', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=False),
    sa.CheckConstraint("state IN ('open', 'recommended', 'accepted', 'refused', 'withdrawn')", name=op.f('ck_appeal_state')),
    sa.CheckConstraint('claimed_value >= 0', name=op.f('ck_appeal_claimed_value')),
    sa.CheckConstraint('recommended_by <> raised_by AND decided_by <> raised_by AND decided_by <> recommended_by', name=op.f('ck_appeal_separate_people')),
    sa.ForeignKeyConstraint(['community_id'], ['community.id'], name=op.f('fk_appeal_community_id_community'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['decided_by'], ['staff_account.id'], name=op.f('fk_appeal_decided_by_staff_account')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_appeal_file_id_stored_file')),
    sa.ForeignKeyConstraint(['raised_by'], ['staff_account.id'], name=op.f('fk_appeal_raised_by_staff_account')),
    sa.ForeignKeyConstraint(['recommended_by'], ['staff_account.id'], name=op.f('fk_appeal_recommended_by_staff_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeal'))
    )
    op.create_index('ix_appeal_state', 'appeal', ['state', 'raised_at'], unique=False)
    op.create_index('uq_appeal_standing', 'appeal', ['community_id', 'day', 'indicator'], unique=True, sqlite_where=sa.text("state IN ('open', 'recommended')"), postgresql_where=sa.text("state IN ('open', 'recommended')"))

    op.create_table('colour_override',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('colour', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('until_day', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('proposed_by', sa.Integer(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.Integer(), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closing_reason', sa.Text(), nullable=False),
    sa.CheckConstraint("colour IN ('red', 'yellow', 'blue')", name=op.f('ck_colour_override_colour')),
    sa.CheckConstraint("state <> 'in_force' OR decided_by IS NOT NULL", name=op.f('ck_colour_override_approved')),
    sa.CheckConstraint("state IN ('proposed', 'in_force', 'refused', 'withdrawn', 'ended')", name=op.f('ck_colour_override_state')),
    sa.CheckConstraint('decided_by <> proposed_by', name=op.f('ck_colour_override_two_people')),
    sa.ForeignKeyConstraint(['community_id'], ['community.id'], name=op.f('fk_colour_override_community_id_community'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['decided_by'], ['staff_account.id'], name=op.f('fk_colour_override_decided_by_staff_account')),
    sa.ForeignKeyConstraint(['ended_by'], ['staff_account.id'], name=op.f('fk_colour_override_ended_by_staff_account')),
    sa.ForeignKeyConstraint(['proposed_by'], ['staff_account.id'], name=op.f('fk_colour_override_proposed_by_staff_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_colour_override'))
    )
    op.create_index('uq_colour_override_standing', 'colour_override', ['community_id'], unique=True, sqlite_where=sa.text("state IN ('proposed', 'in_force')"), postgresql_where=sa.text("state IN ('proposed', 'in_force')"))

    op.create_table('community_near',
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('near_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['community_id'], ['community.id'], name=op.f('fk_community_near_community_id_community'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['near_id'], ['community.id'], name=op.f('fk_community_near_near_id_community'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('community_id', 'near_id', name=op.f('pk_community_near'))
    )
    op.create_table('epidemic_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('resident_id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('reported_on', sa.Date(), nullable=False),
    sa.Column('ended_on', sa.Date(), nullable=True),
    sa.Column('ending', sa.String(length=12), nullable=True),
    sa.Column('cluster', sa.String(length=64), nullable=True),
    sa.Column('route', sa.String(length=32), nullable=False),
    sa.Column('feed', sa.String(length=16), nullable=False),
    sa.Column('entered_by', sa.String(length=80), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn_reason', sa.String(length=200), server_default='', nullable=False),
    sa.CheckConstraint("ending IN ('released', 'excluded', 'converted')", name=op.f('ck_epidemic_event_ending')),
    sa.CheckConstraint("kind IN ('confirmed', 'asymptomatic', 'suspected', 'close', 'second', 'fever', 'keyarea', 'overseas', 'homeq')", name=op.f('ck_epidemic_event_kind')),
    sa.CheckConstraint('(ended_on IS NULL) = (ending IS NULL)', name=op.f('ck_epidemic_event_ended')),
    sa.CheckConstraint('ended_on >= reported_on', name=op.f('ck_epidemic_event_ended_on')),
    sa.ForeignKeyConstraint(['community_id'], ['community.id'], name=op.f('fk_epidemic_event_community_id_community'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_epidemic_event_resident_id_resident'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_epidemic_event')),
    sa.UniqueConstraint('resident_id', 'kind', 'reported_on', 'feed', name=op.f('uq_epidemic_event_resident_id_kind_reported_on_feed'))
    )
    op.create_index('ix_epidemic_event_community_id', 'epidemic_event', ['community_id'], unique=False, sqlite_where=sa.text('community_id IS NOT NULL'), postgresql_where=sa.text('community_id IS NOT NULL'))
    op.create_index('ix_epidemic_event_linked', 'epidemic_event', ['reported_on'], unique=False, sqlite_where=sa.text('cluster IS NOT NULL'), postgresql_where=sa.text('cluster IS NOT NULL'))
    op.create_index('ix_epidemic_event_window', 'epidemic_event', ['kind', 'reported_on', 'resident_id', 'ended_on', 'community_id', 'withdrawn_at'], unique=False)

    op.create_table('residence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('resident_id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=True),
    sa.Column('place', sa.LargeBinary(), nullable=True),
    sa.Column('place_hash', sa.LargeBinary(length=32), nullable=True),
    sa.Column('likely_id', sa.Integer(), nullable=True),
    sa.Column('likely_street_id', sa.Integer(), nullable=True),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('until_day', sa.Date(), nullable=True),
    sa.CheckConstraint('until_day IS NULL OR until_day > from_day', name=op.f('ck_residence_until_day')),
    sa.CheckConstraint('(place IS NULL) = (place_hash IS NULL)', name=op.f('ck_residence_place')),
    sa.ForeignKeyConstraint(['likely_id'], ['community.id'], name=op.f('fk_residence_likely_id_community'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['likely_street_id'], ['street.id'], name=op.f('fk_residence_likely_street_id_street')),
    sa.ForeignKeyConstraint(['community_id'], ['community.id'], name=op.f('fk_residence_community_id_community'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_residence_resident_id_resident'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_residence'))
    )
    op.create_index('ix_residence_community_id', 'residence', ['community_id', 'resident_id', 'from_day', 'until_day'], unique=False)
    op.create_index('ix_residence_resident_id', 'residence', ['resident_id', 'from_day', 'until_day', 'community_id'], unique=False)
    op.create_index('ix_residence_place_hash', 'residence', ['place_hash'], unique=False, sqlite_where=sa.text('place_hash IS NOT NULL'), postgresql_where=sa.text('place_hash IS NOT NULL'))
    op.create_index('ix_residence_unplaced', 'residence', ['place_hash', 'id'], unique=False, sqlite_where=sa.text('community_id IS NULL AND until_day IS NULL'), postgresql_where=sa.text('community_id IS NULL AND until_day IS NULL'))
    op.create_index('uq_residence_standing', 'residence', ['resident_id'], unique=True, sqlite_where=sa.text('until_day IS NULL'), postgresql_where=sa.text('until_day IS NULL'))


    op.add_column("colour_subscription", sa.Column("told_day", sa.Date(), nullable=True))
    op.add_column("indicator_value", sa.Column("numerator", sa.Float(), nullable=True))
    op.add_column("indicator_value", sa.Column("denominator", sa.Float(), nullable=True))
    for statement in _CHECKED:
        op.execute(statement)
    op.add_column(
        "risk_score", sa.Column("floors", sa.JSON(), server_default="[]", nullable=False)
    )
    op.add_column(
        "risk_score",
        sa.Column("is_provisional", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.execute("UPDATE risk_score SET score_colour = colour, computed_colour = colour")


def downgrade() -> None:
    op.execute("DELETE FROM risk_score WHERE is_provisional")
    with op.batch_alter_table("risk_score") as batch:
        for column in ("score_colour", "computed_colour"):
            batch.drop_constraint(f"ck_risk_score_{column}", type_="check")
        for column in ("is_provisional", "floors", "computed_colour", "score_colour"):
            batch.drop_column(column)
    with op.batch_alter_table("indicator_value") as batch:
        batch.drop_constraint("ck_indicator_value_origin", type_="check")
        for column in ("origin", "denominator", "numerator"):
            batch.drop_column(column)
    op.drop_column("colour_subscription", "told_day")
    for table in (
        "residence",
        "epidemic_event",
        "community_near",
        "colour_override",
        "appeal",
        "risk_publication",
        "risk_model",
        "resident",
        "feed_delivery",
    ):
        op.drop_table(table)
