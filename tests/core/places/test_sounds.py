import pytest

from core.places import sounds


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("田林12村", "tianlin12cun"),
        ("田林12村", "tianlinshiercun"),
        ("上柏路100弄", "shangbailu100nong"),
        ("上柏路100弄", "shangbailuyibainong"),
        ("上柏路100弄", "shangbailuyilinglingnong"),
        ("上柏路105弄", "shangbailuyibailingwulong"),
        ("上柏路1212弄", "shangbailuyiqianerbaiyishiernong"),
        ("上柏路2-6号", "shangbailuerzhiliuhao"),
        ("梧桐3-4村", "wutongsansicun"),
        ("长乐村", "changlecun"),
    ],
)
def test_spellings_of_holds_the_ways_people_type_a_name(name: str, spelling: str) -> None:
    ways = sounds.spellings_of(name)
    assert spelling in ways


def test_spelling_of_is_the_same_for_homophones() -> None:
    assert sounds.spelling_of("甜林12村") == sounds.spelling_of("田林12村")


def test_loosened_blurs_what_accents_blur() -> None:
    assert sounds.loosened("tianlingsicun") == sounds.loosened("tianlinshicun")
    assert sounds.loosened("tianlinshicun") != sounds.loosened("meilinshicun")
