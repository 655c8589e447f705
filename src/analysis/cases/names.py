"""Names in tables as categories (名称列): regions, groups, indicators and their terms stand on hundreds of thousands of rows,
but are few; work on them is work on their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAMES = {"indicator", "variant", "part_of", "region", "region_code", "group", "mode"}
"""The columns that hold names."""


def stack(frames: Iterable[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of frames one under the other, names as categories in alphabetical order; empty frames need have none."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    full = [frame for frame in frames if len(frame)] or [pd.DataFrame(columns=list(columns))]

    def column(name: str) -> Any:
        parts = [frame[name] for frame in full]
        if name in NAMES:
            return union_categoricals([part.astype("category") for part in parts], sort_categories=True)
        return pd.concat(parts).to_numpy()

    return pd.DataFrame({name: column(name) for name in columns}, copy=False)


def numbered(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """A number a row that is the same where all these names are: in order of the names, with gaps.

    What has no name comes first.
    """
    import numpy as np

    number = np.zeros(len(table), np.int64)
    for name in names:
        column = table[name].astype("category").cat
        number = number * (len(column.categories) + 1) + column.codes.to_numpy() + 1
    return number


def firsts(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers counted anew from 0 in the order in which they come, and where each comes first."""
    import numpy as np
    import pandas as pd

    counted, there = pd.factorize(numbers)
    first = np.empty(len(there), np.int64)
    first[counted[::-1]] = np.arange(len(numbers))[::-1]
    return counted, first


def words(column: Any) -> Any:
    """A column of text out of Arrow: names in alphabetical order, what has no name has the empty one."""
    import numpy as np
    import pandas as pd

    book = column.combine_chunks().dictionary_encode()
    words = book.dictionary.to_pylist()
    place = {word: number for number, word in enumerate(sorted({*words, ""}))}
    codes = np.array([place[word] for word in (*words, "")])
    return pd.Categorical(list(place)).take(codes[book.indices.fill_null(len(words)).to_numpy()])


def renamed(column: pd.Series, how: Callable[[str], str]) -> pd.Series:
    """A column's names put through a function, once each; categories stay categories."""
    import pandas as pd

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column.map({name: how(name) for name in column.unique()})
    names = pd.Categorical([how(name) for name in column.cat.categories])
    return pd.Series(names.take(column.cat.codes.to_numpy(), allow_fill=True), column.index)


def same(name: str, n: int) -> Any:
    """One name for every row."""
    import numpy as np
    import pandas as pd

    return pd.Categorical([name]).take(np.zeros(n, np.intp))
