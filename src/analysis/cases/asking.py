"""Asking the database (提问): a query's rows as Arrow, and many questions side by side.

On the embedded DuckDB every question has a cursor of its own, so that threads may ask at once. Many questions on one thread
each take less time than one after the other on all threads: nothing is shared out and put together again, and while one
is written another is answered. On somebody else's database one question follows the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

Found = TypeVar("Found")


@dataclass(frozen=True)
class Asking:
    """A database that threads may ask at once (可同时提问的数据库).

    Attributes
    ----------
    con
        An ibis backend. Ibis itself is asked by one thread at a time: it only writes the questions.
    """

    con: Any
    _lock: Any = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def embedded(self) -> bool:
        """Whether it is our own DuckDB, in which views and tables may be made."""
        return bool(self.con.name == "duckdb")

    def rows(self, query: Any) -> pa.Table:
        """What an ibis expression gives, in the types that ibis says."""
        if not self.embedded:
            rows: pa.Table = query.to_pyarrow()
            return rows
        table = query.as_table()
        with self._cursor(table) as cursor:
            rows = cursor.sql(self._written(table)).to_arrow_table()
        return rows.cast(table.schema().to_pyarrow())

    def kept(self, query: Any, whole: bool) -> Any:
        """An expression under a name of its own, so that questions stay short: as a view, or whole as a table.

        On somebody else's database, which we only read, the expression itself.
        """
        import ibis

        if not self.embedded:
            return query
        name = ibis.util.gen_name("kept")
        # Neither is temporary: those are seen by one cursor only, and nothing outlives the database in memory anyway.
        what = "TABLE" if whole else "VIEW"
        with self._cursor(query) as cursor:
            cursor.execute(f'CREATE {what} "{name}" AS {self._written(query)}')
        with self._lock:
            return self.con.table(name)

    def side_by_side(self, tasks: Sequence[Callable[[], Found]]) -> list[Found]:
        """Do tasks, each of which asks one question after the other, as many at once as there are threads.

        What they give, in their order. The first error is raised when all are done.
        """
        from concurrent.futures import ThreadPoolExecutor

        threads = self._threads() if self.embedded else 1
        if threads == 1 or len(tasks) < 2:
            return [task() for task in tasks]
        self.con.raw_sql("SET threads = 1")
        try:
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(lambda task: task(), tasks))
        finally:
            self.con.raw_sql(f"SET threads = {threads}")

    def _written(self, query: Any) -> str:
        with self._lock:
            return str(self.con.compile(query))

    def _cursor(self, query: Any) -> Any:
        """A cursor that knows the query's tables in memory; whoever asks closes it."""
        from ibis.expr.operations import InMemoryTable

        with self._lock:
            cursor = self.con.con.cursor()
        cursor.execute("SET enable_progress_bar = false")
        for table in query.op().find(InMemoryTable):
            cursor.register(table.name, table.data.to_pyarrow(table.schema))
        return cursor

    def _threads(self) -> int:
        with self._lock:
            return int(self.con.raw_sql("SELECT current_setting('threads')").fetchall()[0][0])
