"""When a door is open."""

from __future__ import annotations

import pytest

from core.registry.rules import CompanyState, is_in_business
from core.workplaces.rules import Admission, Closed, WorkplaceState, closed_by


@pytest.mark.parametrize("admission", Admission)
@pytest.mark.parametrize("state", WorkplaceState)
def test_a_door_is_open_where_people_work_and_were_let_in(
    state: WorkplaceState, admission: Admission
) -> None:
    closed = closed_by(state, admission)
    is_running = state in {WorkplaceState.ACTIVE, WorkplaceState.SUSPENDED}
    assert (closed is None) is (is_running and admission is Admission.OPEN)
    assert (closed is Closed.COMPANY) is not is_running


@pytest.mark.parametrize("state", CompanyState)
def test_every_state_of_a_company_is_one_of_a_workplace(state: CompanyState) -> None:
    running = closed_by(WorkplaceState(state.value), Admission.OPEN) is None
    assert is_in_business(state) is running
