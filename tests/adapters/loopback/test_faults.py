"""The schedule of faults: by seed, by rate, by hand."""

import pytest

from adapters.loopback.faults import Fault, Faults


def test_without_a_rate_nothing_ever_goes_wrong() -> None:
    faults = Faults(1)
    assert not any(faults.happens(fault, "anywhere") for fault in Fault for _ in range(100))
    assert faults.committed == []


def test_the_same_seed_makes_the_same_faults_and_another_others() -> None:
    def draws(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.rate(Fault.LOST_ACK, 0.3)
        return [faults.happens(Fault.LOST_ACK, "x") for _ in range(200)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert 30 <= sum(draws(1)) <= 90


def test_one_kind_of_fault_does_not_move_another() -> None:
    alone, together = Faults(5), Faults(5)
    alone.rate(Fault.LOST_ACK, 0.5)
    together.rates({Fault.LOST_ACK: 0.5, Fault.DISCONNECT: 0.5})
    for _ in range(100):
        together.happens(Fault.DISCONNECT, "x")
        assert alone.happens(Fault.LOST_ACK, "x") == together.happens(Fault.LOST_ACK, "x")


def test_an_armed_fault_happens_at_the_next_fitting_place_so_many_times() -> None:
    faults = Faults()
    faults.arm(Fault.RATE_LIMITED, "order/create", times=2)
    assert not faults.happens(Fault.RATE_LIMITED, "order/cancel")
    assert [faults.happens(Fault.RATE_LIMITED, "order/create") for _ in range(3)] == [True, True, False]
    assert [c.where for c in faults.committed] == ["order/create"] * 2


def test_calm_ends_all_of_it() -> None:
    faults = Faults()
    faults.arm(Fault.LOST_ACK)
    faults.rate(Fault.DISCONNECT, 1.0)
    faults.clock_skew_ms = 5
    faults.calm()
    assert not any(faults.happens(fault, "x") for fault in Fault)
    assert faults.clock_skew_ms == 0


def test_a_drawn_schedule_is_that_of_its_seed() -> None:
    one, same, other = Faults.drawn(1), Faults.drawn(1), Faults.drawn(2)

    def committed(faults: Faults) -> list[bool]:
        return [faults.happens(fault, "x") for _ in range(300) for fault in Fault]

    assert one.clock_skew_ms == same.clock_skew_ms != other.clock_skew_ms
    first = committed(one)
    assert any(first)
    assert first == committed(same)
    assert first != committed(other)


def test_a_rate_is_a_probability() -> None:
    with pytest.raises(ValueError, match="LOST_ACK"):
        Faults().rate(Fault.LOST_ACK, 1.5)
