"""Canonical Extended JSON v2 → BSON bytes, for the golden cases; repeated names and order are kept."""

import base64
import json
import math
import struct

import raw_bson as bson
from raw_bson import Value


def parse_document(text: str) -> bytes:
    """One JSON object as BSON bytes."""
    return to_value(json.loads(text, object_pairs_hook=Pairs)).payload


def parse_documents(text: str) -> list:
    """A JSON array of objects as a list of BSON bytes."""
    return [to_value(element).payload for element in json.loads(text, object_pairs_hook=Pairs)]


class Pairs(list):
    """The (name, value) pairs of a JSON object, told apart from a JSON array."""


def to_value(json_value) -> Value:
    """The BSON value of a JSON value; JSON numbers outside a wrapper are refused but for integers."""
    if json_value is None:
        return bson.NULL_VALUE
    if isinstance(json_value, bool):
        return bson.boolean(json_value)
    if isinstance(json_value, str):
        return bson.string(json_value)
    if isinstance(json_value, Pairs):
        wrapped = unwrap(json_value)
        if wrapped is not None:
            return wrapped
        return bson.document([(name, to_value(inner)) for name, inner in json_value])
    if isinstance(json_value, float) and not math.isfinite(json_value):
        # Version 1 writes these bare.
        return bson.double(json_value)
    if isinstance(json_value, list):
        return bson.array(map(to_value, json_value))
    raise ValueError(f"not canonical: {json_value!r}")


def unwrap(pairs: Pairs):
    """The value of a `$` wrapper, or None where the object is none."""
    names = [name for name, _ in pairs]
    inner = dict(pairs)
    if names == ["$oid"]:
        return bson.object_id(bytes.fromhex(inner["$oid"]))
    if names == ["$numberInt"]:
        return bson.int32(int(inner["$numberInt"]))
    if names == ["$numberLong"]:
        return bson.int64(int(inner["$numberLong"]))
    if names == ["$numberDouble"]:
        return bson.double(float(inner["$numberDouble"]))
    if names == ["$numberDecimal"]:
        return Value(bson.DECIMAL128, decimal128(inner["$numberDecimal"]))
    if names == ["$date"]:
        return bson.date(int(dict(inner["$date"])["$numberLong"]))
    if names == ["$binary"]:
        binary = dict(inner["$binary"])
        return bson.binary(base64.b64decode(binary["base64"]), int(binary["subType"], 16))
    if names == ["$regularExpression"]:
        regex = dict(inner["$regularExpression"])
        return Value(bson.REGEX, regex["pattern"].encode() + b"\0" + regex["options"].encode() + b"\0")
    if names == ["$timestamp"]:
        timestamp = dict(inner["$timestamp"])
        return Value(bson.TIMESTAMP, struct.pack("<II", timestamp["i"], timestamp["t"]))
    if names == ["$code"]:
        return Value(bson.CODE, bson.string(inner["$code"]).payload)
    if set(names) == {"$code", "$scope"}:
        code = bson.string(inner["$code"]).payload + to_value(inner["$scope"]).payload
        return Value(bson.CODE_WITH_SCOPE, struct.pack("<i", len(code) + 4) + code)
    if names == ["$symbol"]:
        return Value(bson.SYMBOL, bson.string(inner["$symbol"]).payload)
    if names == ["$undefined"]:
        return Value(bson.UNDEFINED, b"")
    if names == ["$minKey"]:
        return Value(bson.MIN_KEY, b"")
    if names == ["$maxKey"]:
        return Value(bson.MAX_KEY, b"")
    return None


def decimal128(text: str) -> bytes:
    """The bytes of a Decimal128 (binary integer decimal) with a plain coefficient."""
    if text in ("NaN", "Infinity", "-Infinity"):
        high = {"NaN": 0x7C, "Infinity": 0x78, "-Infinity": 0xF8}[text] << 56
        return struct.pack("<QQ", 0, high)
    sign = text.startswith("-")
    mantissa, _, exponent = text.lstrip("+-").upper().partition("E")
    whole, _, fraction = mantissa.partition(".")
    coefficient = int(whole + fraction)
    biased = int(exponent or "0") - len(fraction) + 6176
    assert 0 <= biased <= 12_287 and coefficient < 10**34
    bits = (int(sign) << 127) | (biased << 113) | coefficient
    return struct.pack("<QQ", bits & (2**64 - 1), bits >> 64)
