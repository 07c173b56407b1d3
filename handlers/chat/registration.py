"""Registering with a company step by step: what was typed is in the draft, a message adds to it."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.orm import Session

from core.clock import day_of
from core.codes.rules import company_id_of, shown_check_code
from core.codes.service import (
    CodeCard,
    CodeNotFoundError,
    check_live,
    find_code_read_out,
    get_code,
)
from core.errors import DomainError, InvalidInputError
from core.people.service import register_writer
from core.places.service import list_nearest
from core.registration.drafts import drop_draft, find_newest_draft
from core.registration.service import (
    RegistrationEndedError,
    RegistrationExistsError,
    RegistrationTakenError,
    find_registration,
    list_registrations_of,
    submit_registration,
)
from core.registry.service import get_company
from core.resumption.filing.service import find_filing
from handlers.answers import typed_of_known
from handlers.chat import masks, service
from handlers.chat.registration_desk import (
    NAME,
    TAP,
    Desk,
    Spot,
    ask,
    ask_faulty,
    closed_reply,
    keep,
    open_desk,
    read_draft,
    receipt_of,
    refusal_of,
    spot_of,
    tapped_step,
)
from handlers.chat.registration_steps import (
    CLOSED_STEPS,
    MENDED_BY_TAP,
    YES,
    Asked,
    Step,
    before,
    change_of,
    nearest_homes,
    read_answer,
    says_agree,
    says_send,
    says_start,
    with_answer,
    without,
)
from handlers.chat.words import is_text, says
from handlers.forms import ChoiceMissingError
from handlers.turn import KEEP, Reply, Turn, TurnKind

"""What the scene of an account's code that stands for a company's begins with, before its token."""

# Whoever reads a check code off a poster mistypes it twice, not five times.
MAX_TRIES: Final = 5
_LINK: Final = re.compile(r"/h5/c/([A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])")
# What the person can mend, though every field by itself was right.
_MENDABLE: Final = (RegistrationTakenError, RegistrationExistsError, RegistrationEndedError)

is_starting = says(
    "(?:员工|返岗|上岗|到岗|上班|扫码)?登记|员工返岗登记|登记返岗|員工登記", key=NAME
)
_says_resume = says("继续登记|接着登记|接着填|继续填写?|继续填登记")
_says_again = says("继续|接着")
_says_back = says("上一步|返回|后退|上一项|回上一步")
_says_human = says("人工|客服|人工客服|人工服务|转人工|转接人工|找人工|接通人工|转接客服|接通客服")


# ---- what is ours --------------------------------------------------------------------------------


def is_in_progress(turn: Turn) -> bool:
    """Return whether the person is in the middle of registering."""
    return turn.conversation is not None and turn.conversation.name == NAME


def is_leaving(turn: Turn) -> bool:
    """Return whether somebody leaves in the middle."""
    return is_in_progress(turn) and service.is_cancel(turn)


def is_link(turn: Turn) -> bool:
    """Return whether somebody sends the address that a company's code holds."""
    return is_text(turn) and _LINK.search(turn.text) is not None


def is_resuming(turn: Turn) -> bool:
    """Return whether somebody goes on with what they left, or taps what was offered back then."""
    return _says_resume(turn) or turn.menu_id.startswith(TAP)


def is_step(turn: Turn) -> bool:
    """Return whether a turn answers what was asked.

    What is typed does, but for a few words; what is tapped elsewhere is a digression, and so is a
    question about masks where only one of some options would be an answer.
    """
    if not is_in_progress(turn):
        return False
    if turn.kind is TurnKind.LOCATION:
        return _step_of(turn) is Step.HOME and turn.longitude is not None
    if not is_text(turn):
        return False
    if turn.menu_id.startswith(TAP) or _is_command(turn):
        return True
    return not turn.menu_id and not _is_digression(turn)


def _step_of(turn: Turn) -> Step | None:
    spot = spot_of(turn)
    return None if spot is None else spot.step


def _is_command(turn: Turn) -> bool:
    return _says_back(turn) or _is_again(turn) or service.is_help(turn)


def _is_again(turn: Turn) -> bool:
    return (_says_again(turn) and not turn.rest) or _says_resume(turn)


def _is_digression(turn: Turn) -> bool:
    if _says_human(turn) or service.is_waiting_answer(turn) or service.is_reading_on(turn):
        return True
    is_closed = _step_of(turn) in CLOSED_STEPS
    return masks.matches(turn) if is_closed else service.is_thanks(turn)


# ---- coming in -----------------------------------------------------------------------------------


def answer_start(turn: Turn, session: Session) -> Reply:
    """Go on with what was begun, or ask for the company's code."""
    return _resumed_newest(turn, session) or _ask_company(tries=0)


def answer_resume(turn: Turn, session: Session) -> Reply:
    """Go on with what was begun; who has nothing open sees what they registered last."""
    resumed = _resumed_newest(turn, session)
    if resumed is not None:
        return resumed
    cards = list_registrations_of(session, openid=turn.openid)
    standing = [card for card in cards if not card.is_over]
    return receipt_of(standing[0], happened="old") if standing else _ask_company(tries=0)


def answer_link(turn: Turn, session: Session) -> Reply:
    """Name the company of an address that somebody sends."""
    found = _LINK.search(turn.text)
    return answer_scene(turn, session, token=found[1] if found else "", is_new=False)


def answer_scene(turn: Turn, session: Session, *, token: str, is_new: bool) -> Reply:
    """Name the company of a code before anything is asked, or say why it does not work.

    Args:
        turn: the scan, or the message that holds the address.
        session: may be a reading one.
        token: of the code.
        is_new: whether the person follows the account by this scan.
    """
    try:
        card = get_code(session, token=token)
        check_live(card, now=turn.now)
        return _offer(turn, session, card, is_new=is_new)
    except DomainError as error:
        # A new follower is one, whatever became of the code: nothing is rolled back.
        return refusal_of(error)


def _offer(turn: Turn, session: Session, card: CodeCard, *, is_new: bool) -> Reply:
    company_id = company_id_of(card.subject)
    if company_id is None:
        raise CodeNotFoundError
    found = find_registration(session, openid=turn.openid, workplace_id=company_id)
    if found is not None:
        return receipt_of(found, happened="old")
    desk = open_desk(turn, session, company_id, card.id)
    if desk.door.closed is not None or desk.typed:
        return _resumed(desk)
    filing = find_filing(session, company_id=company_id)
    return Reply(
        template="registration/start",
        values={
            "is_new": is_new,
            "company": get_company(session, company_id=company_id),
            "number": filing.number if filing else None,
            "check_code": shown_check_code(card.check_code),
            "last_day": card.last_day,
        },
        conversation=desk.at(Step.START),
    )


def _ask_company(*, tries: int) -> Reply:
    if tries >= MAX_TRIES:
        return Reply(template="registration/scan")
    return Reply(
        template="registration/company",
        values={"is_wrong": tries > 0},
        conversation=Spot(step=Step.COMPANY, tries=tries).conversation(),
    )


def _resumed_newest(turn: Turn, session: Session) -> Reply | None:
    newest = find_newest_draft(session, openid=turn.openid, now=turn.now)
    if newest is None:
        return None
    return _resumed(open_desk(turn, session, newest.workplace_id, newest.code_id))


def _resumed(desk: Desk) -> Reply:
    if desk.door.closed is not None:
        return closed_reply(desk)
    return ask(desk, desk.next_step, lead="resumed")


# ---- the steps -----------------------------------------------------------------------------------


def answer_leave(turn: Turn, session: Session) -> Reply:  # noqa: ARG001  the signature of handlers
    """Leave; what was typed is kept."""
    is_kept = _step_of(turn) not in {None, Step.COMPANY, Step.START}
    return Reply(template="registration/left", values={"is_kept": is_kept})


def answer_step(turn: Turn, session: Session) -> Reply:
    """Take the answer to what was asked, and ask what comes next."""
    spot = spot_of(turn)
    if spot is None:
        return answer_resume(turn, session)
    if service.is_help(turn):
        return Reply(template="registration/help", conversation=KEEP)
    if spot.step is Step.COMPANY:
        return _company_read_out(turn, session, spot)
    desk = open_desk(turn, session, spot.workplace_id, spot.code_id)
    if desk.door.closed is not None:
        return closed_reply(desk)
    if spot.step is Step.START:
        return _begun(desk)
    # Without a draft it was sent by the page meanwhile, or forgotten after a week.
    return _answered(desk, spot.step) if desk.typed else answer_resume(turn, session)


def _company_read_out(turn: Turn, session: Session, spot: Spot) -> Reply:
    """Find the company by the check code of its poster."""
    card = find_code_read_out(session, check_code=turn.text, now=turn.now)
    if card is None:
        return _ask_company(tries=spot.tries + 1)
    return _offer(turn, session, card, is_new=False)


def _begun(desk: Desk) -> Reply:
    """Begin, once somebody said that it is their company; only now anything is written."""
    wants = says_start(desk.turn.text)
    if wants is None:
        values = {"company_name": desk.door.workplace_name}
        return Reply(template="registration/start_again", values=values, conversation=KEEP)
    if not wants:
        return Reply(template="registration/left", values={"is_kept": False})
    register_writer(desk.session, openid=desk.turn.openid, now=desk.turn.now)
    shown = typed_of_known(desk.session, known=desk.known)
    if desk.known.document is None:
        # The page begins with the usual kind; in a chat the number decides.
        del shown["document_kind"]
    # A draft without a single answer is one, too.
    desk = keep(desk, {"away": "", **shown, **desk.typed})
    return ask(desk, desk.next_step, lead="begun")


def _answered(desk: Desk, step: Step) -> Reply:
    turn = desk.turn
    if _says_back(turn):
        earlier = before(step, desk.typed, departments=desk.departments)
        return ask(keep(desk, without(desk.typed, earlier, step)), earlier)
    tapped = tapped_step(turn)
    is_stale = tapped not in {None, step} and tapped not in MENDED_BY_TAP
    if is_stale or _is_again(turn):
        return ask(desk, step)
    if turn.kind is TurnKind.LOCATION:
        return _located(desk)
    return _taken(desk, tapped or step, is_tapped=tapped is not None)


def _taken(desk: Desk, step: Step, *, is_tapped: bool) -> Reply:
    """Put an answer into the draft and ask what comes next; a wrong one is asked again."""
    if step is Step.SUBMIT:
        return _summed_up(desk)
    if step is Step.CONSENT:
        return _agreed(desk)
    asked = Asked(
        session=desk.session,
        typed=desk.typed,
        known=desk.known,
        departments=desk.departments,
        today=day_of(desk.turn.now),
    )
    try:
        answer = read_answer(step, desk.turn.text, asked)
    except InvalidInputError as error:
        return ask(desk, step, fault=error)
    desk = keep(desk, with_answer(desk.typed, step, answer, is_added=is_tapped))
    return ask(desk, desk.next_step)


def _located(desk: Desk) -> Reply:
    """Offer the communities around a place."""
    turn = desk.turn
    if turn.longitude is None or turn.latitude is None:
        return ask(desk, Step.HOME)
    nearest = list_nearest(desk.session, longitude=turn.longitude, latitude=turn.latitude)
    if not nearest:
        return Reply(template="places/none_near", conversation=KEEP)
    offered = nearest_homes([place for place, _ in nearest])
    return ask(keep(desk, without(desk.typed, Step.HOME) | offered), Step.HOME)


def _agreed(desk: Desk) -> Reply:
    agrees = says_agree(desk.turn.text)
    if agrees is None:
        return ask(desk, Step.CONSENT, fault=ChoiceMissingError())
    if not agrees:
        drop_draft(desk.session, openid=desk.turn.openid, workplace_id=desk.door.workplace_id)
        return Reply(template="registration/refused")
    desk = keep(desk, {**desk.typed, "consent": YES})
    return ask(desk, desk.next_step)


def _summed_up(desk: Desk) -> Reply:
    """Send what was summed up, or ask again what somebody wants to change."""
    text = desk.turn.text
    changed = change_of(text)
    if changed:
        desk = keep(desk, without(desk.typed, *changed))
        return ask(desk, desk.next_step)
    if not says_send(text):
        return ask(desk, Step.SUBMIT, fault=ChoiceMissingError())
    return _sent(desk)


def _sent(desk: Desk) -> Reply:
    reading, faults = read_draft(desk)
    if reading.entry is None:
        return ask_faulty(desk, faults)
    try:
        receipt = submit_registration(
            desk.session,
            workplace_id=desk.door.workplace_id,
            entry=reading.entry,
            openid=desk.turn.openid,
            code_id=desk.code_id,
            now=desk.turn.now,
        )
    except _MENDABLE as error:
        return ask(desk, Step.SUBMIT, fault=error)
    # What stood there before has not dropped it.
    drop_draft(desk.session, openid=desk.turn.openid, workplace_id=desk.door.workplace_id)
    if receipt.is_own:
        return receipt_of(receipt.card, happened="new" if receipt.is_new else "old")
    return Reply(
        template="registration/received", values={"company_name": desk.door.workplace_name}
    )
