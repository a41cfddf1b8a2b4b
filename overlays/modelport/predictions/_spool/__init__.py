"""Records on disk until every sink has them."""

from modelport.predictions._spool._settings import Spool, SpoolMode
from modelport.predictions._spool._spooler import Spooler, SpoolFullError

__all__ = ["Spool", "SpoolFullError", "SpoolMode", "Spooler"]
