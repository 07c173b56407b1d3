"""After a rotation nothing of mandates and claims needs an older key."""

from __future__ import annotations

from core.db import Keyring, install_keyring
from core.mandates.claims import list_claims_of, submit_claim
from core.mandates.resealing import reseal_mandates
from core.mandates.service import list_deputies
from tests.core.mandates.conftest import District, MemoryFiles
from tests.core.mandates.test_claims import LICENCE, claim_of


def test_resealed_mandates_and_claims_need_no_older_key(
    district: District, files: MemoryFiles
) -> None:
    old, new = bytes(range(32)), bytes(range(1, 33))
    district.prove("o-wang")
    owner = district.owner()
    district.invite(owner)
    submit_claim(
        district.session,
        openid="o-chen",
        claim=claim_of(district.session),
        licence=LICENCE,
        files=files,
        now=district.now,
    )
    assert reseal_mandates(district.session) == 0
    install_keyring(Keyring([new, old]))
    assert reseal_mandates(district.session) == 4  # two mandates, an invitation, a claim
    assert reseal_mandates(district.session) == 0
    before = (
        list_deputies(district.session, by=owner),
        list_claims_of(district.session, openid="o-chen", now=district.now),
    )
    install_keyring(Keyring([new]))
    district.session.expire_all()
    after = (
        list_deputies(district.session, by=owner),
        list_claims_of(district.session, openid="o-chen", now=district.now),
    )
    assert after == before
