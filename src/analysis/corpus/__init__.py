"""Documents in (语料): messy public texts become clean articles whose every character knows where it stood.

``read`` a file or folder, ``build`` and ``open_store`` a corpus on disk, ``health`` tells on what any result rests.
"""

from .read import read
from .records import Corpus, Span
from .trace import Traced

__all__ = ["Corpus", "Span", "Traced", "read"]
