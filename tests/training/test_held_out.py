import pytest

from symbotunes.training.held_out import WeightedMeans, means_of


def test_means_are_those_of_all_rows_whichever_process_has_them():
    # Nine rows in two processes: the mean of their numbers, 4.5, must not be rounded.
    first, second = WeightedMeans(), WeightedMeans()
    first.add("kl_nats", 5 * 2.0, 5)
    second.add("kl_nats", 3 * 1.0, 3)
    second.add("kl_nats", 1 * 6.0, 1)
    assert means_of([first.sums, second.sums]) == {"kl_nats": pytest.approx(19 / 9)}


def test_a_process_without_held_out_pieces_takes_part_with_nothing():
    share = WeightedMeans()
    share.add("loss", 12.0, 4)
    assert means_of([{}, share.sums, {}]) == {"loss": 3.0}
    assert means_of([{}, {}]) == {}
    share.clear()
    assert share.sums == {}
