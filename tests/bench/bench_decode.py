"""What a megabyte of JSON costs to decode into models, and to encode, beside a stock openapi-python-client: CPU.

Renamed fields, dates, and objects in objects; both clients are generated from the same document when it runs.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from modelport_tools.generate import generate_one
from tests.bench.bench_call import milliseconds, stock_client
from tests.bench.measure import Row, minima

RECORDS = 3_600
"""About a megabyte of them."""
ROUNDS = 15
BAR = 0.33


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


TEXT: dict[str, Any] = {"type": "string"}
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
SPEC: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Records", "version": "1"},
    "paths": {
        "/records": {
            "get": {
                "operationId": "list_records",
                "tags": ["records"],
                "responses": {
                    "200": {
                        "description": "Records.",
                        "content": {"application/json": {"schema": {"type": "array", "items": _reference("Record")}}},
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Record": _object(
                ["RecordId", "DisplayName", "CreatedAt", "Owner", "IsActive"],
                RecordId={"type": "integer"},
                DisplayName=TEXT,
                CreatedAt=MOMENT,
                UpdatedAt=MOMENT,
                BirthDay={"type": "string", "format": "date"},
                IsActive={"type": "boolean"},
                ScoreValue={"type": "number"},
                Owner=_reference("Person"),
                TagList={"type": "array", "items": TEXT},
                Metrics={"type": "array", "items": _reference("Metric")},
            ),
            "Person": _object(["PersonName"], PersonName=TEXT, EMail=TEXT),
            "Metric": _object(["MetricName", "MetricValue"], MetricName=TEXT, MetricValue={"type": "number"}),
        }
    },
}


def _record(index: int) -> dict[str, Any]:
    return {
        "RecordId": index,
        "DisplayName": f"record number {index}",
        "CreatedAt": f"2026-01-{index % 28 + 1:02}T12:30:00.250000+00:00",
        "BirthDay": f"1990-05-{index % 28 + 1:02}",
        "IsActive": index % 3 == 0,
        "ScoreValue": index / 7,
        "Owner": {"PersonName": f"person {index}", "EMail": f"person{index}@example.com"},
        "TagList": ["a", "b"],
        "Metrics": [{"MetricName": "psi", "MetricValue": index / 11}],
    }


def main() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="modelport-bench-") as folder:
        spec = Path(folder, "records.json")
        spec.write_text(json.dumps(SPEC))
        generate_one(spec, output=Path(folder), package="own_records")
        stock_client(Path(folder), spec, "stock_records")
        sys.path.insert(0, folder)
        try:
            return _rows()
        finally:
            sys.path.remove(folder)


def _rows() -> list[Row]:
    own: Any = importlib.import_module("own_records.models")
    decoding: Any = importlib.import_module("own_records._runtime.decode")
    json_bytes: Any = importlib.import_module("own_records._runtime.json_bytes")
    wire: Any = importlib.import_module("own_records._runtime.wire")
    stock: Any = importlib.import_module("stock_records.models")
    content = json.dumps([_record(index) for index in range(RECORDS)]).encode()
    decode = decoding.JSONDecoder("list[Record]", lambda name: getattr(own, name))
    stock_record = stock.Record

    def stock_decode() -> list[Any]:
        return [stock_record.from_dict(entry) for entry in json.loads(content)]

    mine, theirs = decode(content), stock_decode()

    def stock_encode() -> bytes:
        return json.dumps([record.to_dict() for record in theirs]).encode()

    # Both hold the same, or there is nothing to compare.
    same = json.loads(wire.encode_json(mine))
    assert [{**entry, "CreatedAt": f"{entry['CreatedAt'][:-1]}+00:00"} for entry in same] == json.loads(stock_encode())
    plain = decoding.decoder_for("list[Record]", lambda name: getattr(own, name))

    best = minima(
        {
            "decode": milliseconds(lambda: decode(content), 1),
            "stock decode": milliseconds(stock_decode, 1),
            "plain decode": milliseconds(lambda: plain(json_bytes.parse_json(content)), 1),
            "encode": milliseconds(lambda: wire.encode_json(mine), 1),
            "stock encode": milliseconds(stock_encode, 1),
        },
        rounds=ROUNDS,
    )
    size = f"{len(content) / 1_048_576:.1f} MB"
    return [
        Row(f"decode {size} / stock", best["decode"], best["stock decode"], BAR),
        Row(f"decode {size} with unknown fields / stock", best["plain decode"], best["stock decode"], 1.0),
        Row(f"encode {size} / stock", best["encode"], best["stock encode"], BAR),
    ]
