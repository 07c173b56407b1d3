from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec, module_from_spec

import pyotp
import pytest
from argon2 import extract_parameters

from core.people.staff.rules import password_fault_of
from core.people.staff.secrets import (
    find_totp_step,
    hash_password,
    matches_password,
    new_password,
    new_recovery_codes,
    new_token,
    new_totp_secret,
    recovery_code_of,
    token_hash_of,
    totp_uri_of,
)

NOW = datetime(2020, 3, 28, 8, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = int(NOW.timestamp()) // 30


def test_password_is_kept_as_argon2id_and_recognised_however_it_is_typed() -> None:
    kept = hash_password("kites over the river ①")
    assert kept.startswith("$argon2id$")
    assert "kites" not in kept
    assert matches_password(kept, "kites over the river 1")  # NFKC
    assert not matches_password(kept, "kites over the river 2")


def test_a_hash_outside_of_the_tests_costs_what_the_standard_asks_for() -> None:
    spec = find_spec("core.people.staff.secrets")
    assert spec is not None
    assert spec.loader is not None
    fresh = module_from_spec(spec)  # the tests themselves share one that costs little
    spec.loader.exec_module(fresh)
    kept = extract_parameters(fresh.hash_password("kites over the river"))
    assert (kept.memory_cost, kept.time_cost, kept.parallelism) == (64 * 1024, 3, 4)


def test_nobodys_password_is_never_right_and_costs_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not matches_password(None, "")
    assert not matches_password(None, "x")
    assert not matches_password("broken", "x")


def test_one_time_passwords_may_be_used_and_differ() -> None:
    passwords = {new_password() for _ in range(50)}
    assert len(passwords) == 50
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", one) for one in passwords)
    assert {password_fault_of(one, name="wangjing") for one in passwords} == {None}


def test_recovery_codes_differ_and_are_read_however_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    first = codes[0]
    assert recovery_code_of(f" {first.upper()} ") == recovery_code_of(first.replace("-", " "))


@pytest.mark.parametrize(
    ("drift", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_code_of_the_half_minutes_around_is_taken(drift: int, is_taken: bool) -> None:
    code = pyotp.TOTP(SECRET).generate_otp(STEP + drift)
    found = find_totp_step(SECRET, code, now=NOW, after=0)
    assert found == (STEP + drift if is_taken else None)


def test_code_is_taken_once() -> None:
    code = pyotp.TOTP(SECRET).at(NOW)
    step = find_totp_step(SECRET, code, now=NOW, after=0)
    assert step == STEP
    assert find_totp_step(SECRET, code, now=NOW, after=step) is None
    later = NOW + timedelta(seconds=30)
    assert find_totp_step(SECRET, pyotp.TOTP(SECRET).at(later), now=later, after=step) == STEP + 1


@pytest.mark.parametrize("typed", ["", "000000x", "１２３", "abcdef", "0" * 300])
def test_what_is_no_code_is_wrong(typed: str) -> None:
    assert find_totp_step(SECRET, typed, now=NOW, after=0) is None


def test_code_may_be_typed_with_a_gap_and_full_width() -> None:
    code = pyotp.TOTP(SECRET).at(NOW)
    wide = "".join(chr(ord(one) + 0xFEE0) for one in code)
    for typed in (f"{code[:3]} {code[3:]}", wide):
        assert find_totp_step(SECRET, typed, now=NOW, after=0) == STEP


def test_authenticator_reads_name_and_secret_from_the_address() -> None:
    secret = new_totp_secret()
    read = pyotp.parse_uri(totp_uri_of(secret, name="王静", issuer="汇治理"))
    assert (read.secret, read.name, read.issuer) == (secret, "王静", "汇治理")


def test_token_is_random_and_its_hash_is_not_it() -> None:
    one, other = new_token(), new_token()
    assert one != other
    assert len(token_hash_of(one)) == 32
    assert token_hash_of(one) != token_hash_of(other)
