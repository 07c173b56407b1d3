"""Versions of the list of key areas; shops, construction sites with their reports, cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('key_area_list',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('imported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('area_count', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=False),
    sa.CheckConstraint('area_count >= 0', name=op.f('ck_key_area_list_area_count')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_key_area_list'))
    )
    op.create_index(op.f('ix_key_area_list_imported_at'), 'key_area_list', ['imported_at'], unique=False)
    op.create_table('shop',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('licence', sa.String(length=18), nullable=False),
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('opening', sa.String(length=8), nullable=False),
    sa.Column('opening_said_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('food', 'retail', 'pharmacy', 'hairdresser', 'service', 'lodging', 'other')", name=op.f('ck_shop_kind')),
    sa.CheckConstraint("opening IN ('open', 'paused', 'closed')", name=op.f('ck_shop_opening')),
    sa.CheckConstraint('length(licence) = 18', name=op.f('ck_shop_licence')),
    sa.ForeignKeyConstraint(['id'], ['workplace.id'], name=op.f('fk_shop_id_workplace')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shop')),
    sa.UniqueConstraint('licence', 'number', name=op.f('uq_shop_licence_number'))
    )
    op.create_table('site',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('project', sa.String(length=200), nullable=False),
    sa.Column('longitude', sa.Float(), nullable=True),
    sa.Column('latitude', sa.Float(), nullable=True),
    sa.Column('supervisor_id', sa.Integer(), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(longitude IS NULL) = (latitude IS NULL)', name=op.f('ck_site_place')),
    sa.ForeignKeyConstraint(['id'], ['workplace.id'], name=op.f('fk_site_id_workplace')),
    sa.ForeignKeyConstraint(['supervisor_id'], ['staff_account.id'], name=op.f('fk_site_supervisor_id_staff_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site')),
    sa.UniqueConstraint('number', name=op.f('uq_site_number'))
    )
    op.create_index(op.f('ix_site_supervisor_id'), 'site', ['supervisor_id'], unique=False)
    op.create_table('site_contract',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('contractor', sa.String(length=100), nullable=False),
    sa.Column('uscc', sa.String(length=18), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.CheckConstraint('until IS NULL OR until >= since', name=op.f('ck_site_contract_until')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_site_contract_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site_contract'))
    )
    op.create_index(op.f('ix_site_contract_site_id'), 'site_contract', ['site_id'], unique=False)
    op.create_index('uq_site_contract_running', 'site_contract', ['site_id'], unique=True, sqlite_where=sa.text('until IS NULL'), postgresql_where=sa.text('until IS NULL'))
    op.create_table('site_setting',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('due_minutes', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('set_by', sa.String(length=80), nullable=False),
    sa.CheckConstraint('due_minutes BETWEEN 0 AND 1439', name=op.f('ck_site_setting_due_minutes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site_setting'))
    )
    op.create_index(op.f('ix_site_setting_valid_from'), 'site_setting', ['valid_from'], unique=False)
    op.create_table('site_report',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('way', sa.String(length=8), nullable=False),
    sa.Column('request_key', sa.String(length=64), nullable=False),
    sa.Column('head_count', sa.Integer(), nullable=False),
    sa.Column('joined_count', sa.Integer(), nullable=False),
    sa.Column('left_count', sa.Integer(), nullable=False),
    sa.Column('is_unchanged', sa.Boolean(), nullable=False),
    sa.Column('flags', sa.JSON(), nullable=False),
    sa.Column('note', sa.String(length=300), nullable=False),
    sa.Column('reported_by', sa.String(length=80), nullable=False),
    sa.Column('reported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('longitude', sa.Float(), nullable=True),
    sa.Column('latitude', sa.Float(), nullable=True),
    sa.CheckConstraint("state IN ('standing', 'replaced')", name=op.f('ck_site_report_state')),
    sa.CheckConstraint("way IN ('page', 'chat', 'staff')", name=op.f('ck_site_report_way')),
    sa.CheckConstraint('NOT is_unchanged OR joined_count + left_count = 0', name=op.f('ck_site_report_unchanged')),
    sa.CheckConstraint('head_count >= 0 AND joined_count >= 0 AND left_count >= 0', name=op.f('ck_site_report_counts')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_site_report_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site_report')),
    sa.UniqueConstraint('site_id', 'request_key', name=op.f('uq_site_report_site_id_request_key'))
    )
    op.create_index('ix_site_report_site_id_day', 'site_report', ['site_id', 'day'], unique=False)
    op.create_index('uq_site_report_standing', 'site_report', ['day', 'site_id'], unique=True, sqlite_where=sa.text("state = 'standing'"), postgresql_where=sa.text("state = 'standing'"))
    op.create_table('site_member',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('contract_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('phone', sa.LargeBinary(), nullable=False),
    sa.Column('invitation_hash', sa.LargeBinary(length=32), nullable=True),
    sa.Column('invitation_ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('invited_by', sa.String(length=80), nullable=False),
    sa.Column('offered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state <> 'active' OR person_id IS NOT NULL", name=op.f('ck_site_member_active')),
    sa.CheckConstraint("state IN ('offered', 'active', 'ended')", name=op.f('ck_site_member_state')),
    sa.ForeignKeyConstraint(['contract_id'], ['site_contract.id'], name=op.f('fk_site_member_contract_id_site_contract')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_site_member_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site_member')),
    sa.UniqueConstraint('invitation_hash', name=op.f('uq_site_member_invitation_hash'))
    )
    op.create_index(op.f('ix_site_member_contract_id'), 'site_member', ['contract_id'], unique=False)
    op.create_index(op.f('ix_site_member_person_id'), 'site_member', ['person_id'], unique=False)
    op.create_index('uq_site_member_active', 'site_member', ['contract_id', 'person_id'], unique=True, sqlite_where=sa.text("state = 'active'"), postgresql_where=sa.text("state = 'active'"))
    op.create_table('screening_case',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('workplace_id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.String(length=16), nullable=False),
    sa.Column('areas', sa.JSON(), nullable=False),
    sa.Column('screened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('opened_count', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('contacted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('escalated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.String(length=80), nullable=True),
    sa.Column('finding', sa.String(length=16), nullable=True),
    sa.CheckConstraint("(state = 'closed') = (finding IS NOT NULL)", name=op.f('ck_screening_case_closed')),
    sa.CheckConstraint("cause IN ('key_area', 'health_code')", name=op.f('ck_screening_case_cause')),
    sa.CheckConstraint("finding IS NULL OR finding IN ('isolated', 'not_there', 'left', 'mistaken', 'cleared')", name=op.f('ck_screening_case_finding')),
    sa.CheckConstraint("state IN ('open', 'contacted', 'closed')", name=op.f('ck_screening_case_state')),
    sa.ForeignKeyConstraint(['registration_id'], ['registration.id'], name=op.f('fk_screening_case_registration_id_registration')),
    sa.ForeignKeyConstraint(['workplace_id'], ['workplace.id'], name=op.f('fk_screening_case_workplace_id_workplace')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_screening_case')),
    sa.UniqueConstraint('registration_id', 'cause', name=op.f('uq_screening_case_registration_id_cause'))
    )
    op.create_index('ix_screening_case_state_deadline_at', 'screening_case', ['state', 'deadline_at'], unique=False)
    op.create_index('ix_screening_case_workplace_id_state', 'screening_case', ['workplace_id', 'state'], unique=False)
    op.create_table('case_evidence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.LargeBinary(), nullable=False),
    sa.Column('issuer', sa.String(length=100), nullable=False),
    sa.Column('isolated_from', sa.Date(), nullable=False),
    sa.Column('isolated_until', sa.Date(), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('file_id', sa.Integer(), nullable=True),
    sa.Column('added_by', sa.String(length=80), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('isolated_until >= isolated_from', name=op.f('ck_case_evidence_isolated_until')),
    sa.CheckConstraint('issued_on >= isolated_until', name=op.f('ck_case_evidence_issued_on')),
    sa.ForeignKeyConstraint(['case_id'], ['screening_case.id'], name=op.f('fk_case_evidence_case_id_screening_case'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_case_evidence_file_id_stored_file')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_evidence'))
    )
    op.create_index(op.f('ix_case_evidence_case_id'), 'case_evidence', ['case_id'], unique=False)
    op.create_table('case_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('note', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['screening_case.id'], name=op.f('fk_case_step_case_id_screening_case'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_step'))
    )
    op.create_index('ix_case_step_case_id_at', 'case_step', ['case_id', 'at'], unique=False)
    with op.batch_alter_table("key_area") as batch:
        batch.drop_constraint(op.f("ck_key_area_code"), type_="check")
        batch.alter_column(
            "code", existing_type=sa.String(length=6), type_=sa.String(length=9)
        )
        batch.add_column(
            sa.Column("level", sa.String(length=8), nullable=False, server_default="medium")
        )
        batch.create_check_constraint(op.f("ck_key_area_code"), "length(code) IN (6, 9)")
        batch.create_check_constraint(
            op.f("ck_key_area_level"), "level IN ('high', 'medium', 'watched')"
        )
    with op.batch_alter_table("key_area") as batch:
        batch.alter_column("level", existing_type=sa.String(length=8), server_default=None)
    with op.batch_alter_table("registration") as batch:
        batch.add_column(sa.Column("key_area_list_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_registration_key_area_list_id_key_area_list"),
            "key_area_list",
            ["key_area_list_id"],
            ["id"],
        )
    _allow_files("'prevention_plan', 'licence', 'appeal_evidence', 'case_evidence'")


def _allow_files(purposes: str) -> None:
    with op.batch_alter_table("stored_file") as batch:
        batch.drop_constraint(op.f("ck_stored_file_purpose"), type_="check")
        batch.create_check_constraint(op.f("ck_stored_file_purpose"), f"purpose IN ({purposes})")


def downgrade() -> None:
    _allow_files("'prevention_plan', 'licence', 'appeal_evidence'")
    with op.batch_alter_table("registration") as batch:
        batch.drop_constraint(
            op.f("fk_registration_key_area_list_id_key_area_list"), type_="foreignkey"
        )
        batch.drop_column("key_area_list_id")
    op.execute("DELETE FROM key_area WHERE length(code) > 6")
    with op.batch_alter_table("key_area") as batch:
        batch.drop_constraint(op.f("ck_key_area_level"), type_="check")
        batch.drop_constraint(op.f("ck_key_area_code"), type_="check")
        batch.drop_column("level")
        batch.alter_column(
            "code", existing_type=sa.String(length=9), type_=sa.String(length=6)
        )
        batch.create_check_constraint(op.f("ck_key_area_code"), "length(code) = 6")
    op.drop_table('case_step')
    op.drop_table('case_evidence')
    op.drop_table('screening_case')
    op.drop_table('site_member')
    op.drop_table('site_report')
    op.drop_table('site_setting')
    op.drop_table('site_contract')
    op.drop_table('site')
    op.drop_table('shop')
    op.drop_table('key_area_list')
