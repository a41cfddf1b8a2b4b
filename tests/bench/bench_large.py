"""What a first call of a large client costs beside that of a stock openapi-python-client: CPU of fresh interpreters.

Both clients are generated from the same made document of 200 operations and 1,200 models. A program imports one, makes
a client over a transport that answers at once, and sends one object to get another.

httpx draws in its own command line, and with it rich, where click is installed. Where a client is installed alone it is
not, so click is hidden from every program here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from modelport_tools.generate import generate_one
from tests.bench.bench_call import stock_client
from tests.bench.large import document
from tests.bench.measure import Row, programs

ROUNDS = 15
BAR = 0.12
OWN, STOCK = "own_large", "stock_large"

START = """
import sys
sys.modules["click"] = None
sys.path.insert(0, {folder!r})
import httpx
"""
ANSWER = {
    "ThingId": "t",
    "DisplayName": "d",
    "CreatedAt": "2026-01-01T00:00:00Z",
    "Owner": {"PersonName": "p"},
    "State": "ready",
    "Metrics": [{"MetricName": "m", "MetricValue": 0.5}],
}
TRANSPORT = f"""
class Canned(httpx.BaseTransport):
    def handle_request(self, request):
        headers = {{"Content-Type": "application/json"}}
        return httpx.Response(200, content={json.dumps(ANSWER).encode()!r}, headers=headers)

http_client = httpx.Client(transport=Canned(), base_url="http://host")
"""
OWN_CALL = f"""
from {OWN} import Client, models
client = Client("http://host", http_client=http_client)
body = models.Thing3In(display_name="d", owner=models.Thing3Owner(person_name="p"))
assert client.group3.update_thing3("t", body=body).owner.person_name == "p"
"""
STOCK_CALL = f"""
from {STOCK} import Client
from {STOCK}.api.group3 import update_thing3
from {STOCK}.models import Thing3In, Thing3Owner
client = Client(base_url="http://host")
client.set_httpx_client(http_client)
body = Thing3In(display_name="d", owner=Thing3Owner(person_name="p"))
assert update_thing3.sync("t", client=client, body=body).owner.person_name == "p"
"""


def main() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="modelport-bench-") as folder:
        spec = Path(folder, "large.json")
        spec.write_text(json.dumps(document()))
        generate_one(spec, output=Path(folder), package=OWN)
        stock_client(Path(folder), spec, STOCK)
        start = START.format(folder=folder)
        texts = {"own": OWN_CALL, "stock": STOCK_CALL}
        best = programs({name: start + TRANSPORT + text for name, text in texts.items()}, rounds=ROUNDS)
    return [Row("first call of 1,200 models / stock", best["own"], best["stock"], BAR)]
