"""Questions side by side: what is answered does not depend on how many are asked at once."""

from __future__ import annotations

import threading
from functools import partial

import ibis
import pyarrow as pa
import pytest

from analysis.cases import sources
from analysis.cases.asking import Asking


@pytest.fixture
def asking():
    con = sources.connect("512MB", threads=2)
    yield Asking(con)
    con.disconnect()


def test_rows_are_in_the_types_that_the_question_says(asking):
    rows = asking.rows(
        ibis.memtable({"place": ["a", "a", "b"], "n": [1, 2, 4]}).group_by("place").agg(n=ibis._.n.sum())
    )
    assert dict(zip(*(rows[name].to_pylist() for name in ("place", "n")), strict=True)) == {"a": 3, "b": 4}
    assert rows.schema.field("n").type == pa.int64()  # DuckDB itself sums to 128 bits


def test_what_is_kept_is_seen_from_every_thread(asking):
    numbers = ibis.memtable({"n": list(range(100))})
    table = asking.kept(numbers, whole=True)
    view = asking.kept(table.filter(table.n < 10), whole=False)
    rows = asking.side_by_side([partial(asking.rows, view.filter(view.n >= least)) for least in range(8)])
    assert [sorted(found["n"].to_pylist()) for found in rows] == [
        list(range(least, 10)) for least in range(8)
    ]


def test_tasks_run_at_once_and_answer_in_their_order(asking):
    meet = threading.Barrier(2, timeout=30)  # two that wait for each other end only if both run

    def task(number):
        if number < 2:
            meet.wait()
        return number

    assert asking.side_by_side([partial(task, number) for number in range(5)]) == [0, 1, 2, 3, 4]


def test_threads_are_given_back_whatever_happens(asking):
    asking.con.raw_sql("CREATE VIEW setting AS SELECT current_setting('threads') AS n")
    setting = asking.con.table("setting")

    def threads():
        return asking.rows(setting)["n"][0].as_py()

    def fail():
        raise LookupError

    assert asking.side_by_side([threads, threads]) == [1, 1]
    assert threads() == 2
    with pytest.raises(LookupError):
        asking.side_by_side([threads, fail, threads])
    assert threads() == 2
