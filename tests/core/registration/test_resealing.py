from __future__ import annotations

from sqlalchemy import LargeBinary, select, type_coerce

from core.db import Keyring, install_keyring
from core.registration.correcting import end_registration
from core.registration.drafts import find_draft, save_draft
from core.registration.model import Registration
from core.registration.resealing import reseal_registrations
from core.registration.service import get_own_registration
from tests.conftest import DATA_KEY
from tests.core.registration.conftest import NUMBERS, District

NEW_KEY = bytes(range(1, 33))


def test_after_resealing_the_old_key_is_not_needed(district: District) -> None:
    first = district.submit(0)
    ended = district.submit(1)
    end_registration(
        district.session, openid="o-1", registration_id=ended.card.id, now=district.now
    )
    save_draft(
        district.session,
        openid="o-2",
        workplace_id=district.companies[0],
        typed={"name": "李"},
        code_id=None,
        now=district.now,
    )
    install_keyring(Keyring([NEW_KEY, DATA_KEY]))
    newer = district.submit(3)
    district.session.flush()
    district.session.expire_all()

    assert reseal_registrations(district.session) == 2
    assert reseal_registrations(district.session) == 0

    install_keyring(Keyring([NEW_KEY]))
    district.session.expire_all()
    own = get_own_registration(district.session, openid="o-0", registration_id=first.card.id)
    assert (own.name, own.document.number) == ("张一", NUMBERS[0])
    assert not district.submit(0).is_new
    assert district.stored(newer.card.id).name == "张四"
    draft = find_draft(
        district.session, openid="o-2", workplace_id=district.companies[0], now=district.now
    )
    assert draft is not None
    assert draft.typed == {"name": "李"}


def test_every_sealed_column_is_sealed_anew(district: District) -> None:
    district.submit(0)
    sealed = select(
        *(
            type_coerce(getattr(Registration, name), LargeBinary)
            for name in ("name", "document", "phone", "answers")
        )
    )
    ring = Keyring([NEW_KEY, DATA_KEY])
    install_keyring(ring)
    reseal_registrations(district.session)
    assert all(ring.is_current(value) for value in district.session.execute(sealed).one())
