"""Documents in (语料): messy public texts become clean articles whose every character knows where it stood.

``read`` a file or folder, ``build`` and ``open_store`` a corpus on disk; ``health`` tells on what any result rests.
"""

from .health import health
from .read import read, source_text
from .records import Corpus, Span
from .store import build, open_store
from .trace import Traced

__all__ = ["Corpus", "Span", "Traced", "build", "health", "open_store", "read", "source_text"]
