"""The last look before a program leaves: no known secret may stand in it, in any usual spelling."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from modelport.predict_code._errors import SecretLeakError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Below this length a value is too likely to be part of an ordinary word.
_WHOLE_WORD_BELOW = 8


def refuse_secrets(where: str, texts: Iterable[str], secrets: Sequence[str]) -> None:
    """Raise SecretLeakError when one of `secrets` is found in one of `texts`."""
    spellings = [(position, _spellings(secret)) for position, secret in enumerate(secrets, 1) if secret.strip()]
    if not spellings:
        return
    for text in texts:
        for position, patterns in spellings:
            if any(pattern.search(text) for pattern in patterns):
                message = f"{where} holds a known secret (number {position} of those handed in); nothing was written"
                raise SecretLeakError(message)


def _spellings(secret: str) -> list[re.Pattern[str]]:
    spelt = {secret, secret.strip(), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    if len(secret) < _WHOLE_WORD_BELOW:
        return [re.compile(rf"(?<![A-Za-z0-9_]){re.escape(text)}(?![A-Za-z0-9_])") for text in spelt]
    raw = secret.encode("utf-8", "surrogatepass")
    # Base64 of a longer text that holds the secret begins at one of three offsets; the marks at both ends then differ.
    encoded = {_base64_core(raw, offset) for offset in range(3)}
    return [re.compile(re.escape(text)) for text in spelt | encoded]


def _base64_core(raw: bytes, offset: int) -> str:
    whole = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
    start = (offset * 8 + 5) // 6
    end = (offset + len(raw)) * 8 // 6
    return whole[start:end]
