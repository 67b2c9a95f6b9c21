from __future__ import annotations

import datetime
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from generation.models import Allowance
from generation.web.quotas import Limit, TooMany, forget_whole, network_of, take

THREE = Limit("three", 3)


def age(minutes: int) -> None:
    """Let so much time pass for all allowances."""
    for allowance in Allowance.objects.all():
        allowance.used_until -= datetime.timedelta(minutes=minutes)
        allowance.save(update_fields=["used_until"])


def test_an_allowance_is_used_up_and_says_when_the_next_use_comes_back(db: None) -> None:
    assert [round(take(THREE, "alice"), 2) for _ in range(3)] == [0.33, 0.67, 1.0]
    with pytest.raises(TooMany) as refused:
        take(THREE, "alice")
    assert 1195 < refused.value.retry_after <= 1200
    age(21)
    take(THREE, "alice")
    with pytest.raises(TooMany):
        take(THREE, "alice")


def test_another_visitor_and_another_limit_have_allowances_of_their_own(db: None) -> None:
    for _ in range(3):
        take(THREE, "alice")
    assert take(THREE, "bob") == pytest.approx(1 / 3, abs=0.01)
    assert take(Limit("others", 3), "alice") == pytest.approx(1 / 3, abs=0.01)


def test_without_a_limit_nothing_is_stored(db: None) -> None:
    for _ in range(5):
        assert take(Limit("free", 0), "alice") == 0
    assert not Allowance.objects.exists()


def test_what_is_stored_names_nobody_and_goes_when_it_is_whole(db: None) -> None:
    take(THREE, "192.0.2.7")
    assert re.fullmatch("[0-9a-f]{64}", Allowance.objects.get().key)
    forget_whole()
    assert Allowance.objects.count() == 1
    age(21)
    forget_whole()
    assert not Allowance.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_cannot_have_the_same_use() -> None:
    def one(_: int) -> bool:
        try:
            take(Limit("ten", 10), "alice")
        except TooMany:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(40))) == 10


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("None", "None"),
    ],
)
def test_a_household_with_many_addresses_has_one_allowance(address: str, network: str) -> None:
    assert network_of(address) == network
