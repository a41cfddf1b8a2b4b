"""What differs between the two worlds beyond spelling; written by hand on both sides."""

from time import sleep

from ..http import is_async as is_other_http_client
from ..http import is_sync as is_http_client
from ..http import make_client as make_http_client

__all__ = ["is_http_client", "is_other_http_client", "make_http_client", "sleep"]
