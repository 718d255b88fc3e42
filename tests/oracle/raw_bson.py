"""A small BSON reader and writer that keeps every byte.

A value is its type byte and its payload bytes, so number types, -0.0, NaN payloads, repeated names,
the order of fields and the keys of arrays survive without any effort.  No value is ever decoded
and encoded again unless a rule of the contract says so.

Section numbers in this folder's docstrings are those of `docs/mapping.md`.
"""

import struct

DOUBLE = 0x01
STRING = 0x02
DOCUMENT = 0x03
ARRAY = 0x04
BINARY = 0x05
UNDEFINED = 0x06
OBJECT_ID = 0x07
BOOLEAN = 0x08
DATE = 0x09
NULL = 0x0A
REGEX = 0x0B
DB_POINTER = 0x0C
CODE = 0x0D
SYMBOL = 0x0E
CODE_WITH_SCOPE = 0x0F
INT32 = 0x10
TIMESTAMP = 0x11
INT64 = 0x12
DECIMAL128 = 0x13
MIN_KEY = 0xFF
MAX_KEY = 0x7F

FIXED_SIZES = {
    DOUBLE: 8, UNDEFINED: 0, OBJECT_ID: 12, DATE: 8, NULL: 0, INT32: 4,
    TIMESTAMP: 8, INT64: 8, DECIMAL128: 16, MIN_KEY: 0, MAX_KEY: 0,
}


class MalformedBson(Exception):
    """The bytes are not a well-formed BSON document (section 1, promise 1)."""


class Value:
    """One BSON value: its type byte and the bytes of its payload."""

    __slots__ = ("kind", "payload", "_fields")

    def __init__(self, kind: int, payload: bytes):
        self.kind = kind
        self.payload = payload
        self._fields = None

    def __eq__(self, other):
        return isinstance(other, Value) and self.kind == other.kind and self.payload == other.payload

    def __hash__(self):
        return hash((self.kind, self.payload))

    def __repr__(self):
        return f"Value({self.kind:#04x}, {self.payload!r})"

    def fields(self):
        """The (name, value) pairs of a document or an array, repeats included, in order."""
        if self._fields is None:
            self._fields = _split_fields(self.payload)
        return self._fields


# --- reading -------------------------------------------------------------------------------------

def _int32(data: bytes, position: int) -> int:
    return struct.unpack_from("<i", data, position)[0]


def check(data: bytes) -> int:
    """Check that `data` is one well-formed document and give its nesting depth.

    Section 1: "*Well-formed*: every length fits exactly, every type is known, booleans are 0 or 1,
    names and the text of strings, regexes, code and symbols are UTF-8; the inside of a binary is
    not looked at."  Section 10: "the document itself is level 1; documents, arrays and the scope
    of a Code value add one".  Iterative, so that no nesting is too deep for it.
    """
    if len(data) < 5 or _int32(data, 0) != len(data) or data[-1] != 0:
        raise MalformedBson("outer length")
    ends = [len(data)]
    position = 4
    depth_max = 1
    while ends:
        limit = ends[-1] - 1  # where the terminator of the innermost document stands
        if position == limit:
            position = ends.pop()
            continue
        kind = data[position]
        position = _check_cstring(data, position + 1, limit)
        if kind in (DOCUMENT, ARRAY):
            ends.append(_check_document_frame(data, position, limit))
            depth_max = max(depth_max, len(ends))
            position += 4
        elif kind == CODE_WITH_SCOPE:
            position, end = _check_code_with_scope(data, position, limit)
            ends.append(end)
            depth_max = max(depth_max, len(ends))
        else:
            position = _check_scalar(data, kind, position, limit)
    return depth_max


def _need(condition: bool, what: str):
    if not condition:
        raise MalformedBson(what)


def _check_utf8(data: bytes, what: str):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBson(f"{what} is not UTF-8") from error


def _check_cstring(data: bytes, position: int, limit: int) -> int:
    end = data.find(b"\0", position, limit)
    _need(end >= 0, "unterminated name")
    _check_utf8(data[position:end], "name")
    return end + 1


def _check_document_frame(data: bytes, position: int, limit: int) -> int:
    _need(position + 4 <= limit, "document length")
    length = _int32(data, position)
    _need(length >= 5 and position + length <= limit, "document length")
    _need(data[position + length - 1] == 0, "document terminator")
    return position + length


def _check_string(data: bytes, position: int, limit: int) -> int:
    _need(position + 4 <= limit, "string length")
    length = _int32(data, position)
    _need(length >= 1 and position + 4 + length <= limit, "string length")
    _need(data[position + 4 + length - 1] == 0, "string terminator")
    _check_utf8(data[position + 4:position + 4 + length - 1], "string")
    return position + 4 + length


def _check_code_with_scope(data: bytes, position: int, limit: int):
    _need(position + 4 <= limit, "code length")
    total = _int32(data, position)
    _need(total >= 14 and position + total <= limit, "code length")
    scope = _check_string(data, position + 4, position + total)
    end = _check_document_frame(data, scope, position + total)
    _need(end == position + total, "code length")
    return scope + 4, end


def _check_scalar(data: bytes, kind: int, position: int, limit: int) -> int:
    if kind in FIXED_SIZES:
        end = position + FIXED_SIZES[kind]
    elif kind == BOOLEAN:
        _need(position < limit and data[position] in (0, 1), "boolean")
        end = position + 1
    elif kind in (STRING, CODE, SYMBOL):
        end = _check_string(data, position, limit)
    elif kind == BINARY:
        _need(position + 5 <= limit, "binary length")
        length = _int32(data, position)
        _need(length >= 0, "binary length")
        end = position + 5 + length
    elif kind == REGEX:
        end = _check_cstring(data, _check_cstring(data, position, limit), limit)
    elif kind == DB_POINTER:
        end = _check_string(data, position, limit) + 12
    else:
        raise MalformedBson(f"unknown type {kind:#04x}")
    _need(end <= limit, "value passes the end of its document")
    return end


def _payload_end(data: bytes, kind: int, position: int) -> int:
    """Where the payload of a value ends, in bytes that `check` has accepted."""
    if kind in FIXED_SIZES:
        return position + FIXED_SIZES[kind]
    if kind == BOOLEAN:
        return position + 1
    if kind in (DOCUMENT, ARRAY, CODE_WITH_SCOPE):
        return position + _int32(data, position)
    if kind in (STRING, CODE, SYMBOL):
        return position + 4 + _int32(data, position)
    if kind == BINARY:
        return position + 5 + _int32(data, position)
    if kind == DB_POINTER:
        return position + 4 + _int32(data, position) + 12
    assert kind == REGEX
    return data.index(b"\0", data.index(b"\0", position) + 1) + 1


def _split_fields(data: bytes):
    fields = []
    position = 4
    while position < len(data) - 1:
        kind = data[position]
        name_end = data.index(b"\0", position + 1)
        name = data[position + 1:name_end].decode("utf-8")
        position = _payload_end(data, kind, name_end + 1)
        fields.append((name, Value(kind, data[name_end + 1:position])))
    return fields


# --- writing -------------------------------------------------------------------------------------

def encode(fields) -> bytes:
    """The bytes of a document with these (name, value) pairs."""
    body = b"".join(
        bytes([value.kind]) + name.encode("utf-8") + b"\0" + value.payload for name, value in fields
    )
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def document(fields) -> Value:
    return Value(DOCUMENT, encode(fields))


def array(values) -> Value:
    return Value(ARRAY, encode((str(n), value) for n, value in enumerate(values)))


def string(text: str) -> Value:
    data = text.encode("utf-8")
    return Value(STRING, struct.pack("<i", len(data) + 1) + data + b"\0")


def boolean(truth: bool) -> Value:
    return Value(BOOLEAN, bytes([truth]))


def date(milliseconds: int) -> Value:
    return Value(DATE, struct.pack("<q", milliseconds))


def object_id(data: bytes) -> Value:
    return Value(OBJECT_ID, data)


def int32(number: int) -> Value:
    return Value(INT32, struct.pack("<i", number))


def int64(number: int) -> Value:
    return Value(INT64, struct.pack("<q", number))


def double(number: float) -> Value:
    return Value(DOUBLE, struct.pack("<d", number))


def binary(data: bytes, subtype: int = 0) -> Value:
    return Value(BINARY, struct.pack("<iB", len(data), subtype) + data)


def has_wrong_inner_length(value: Value) -> bool:
    """Whether the value is a Binary of subtype 2 "whose inner length is not its length − 4"; one that is
    too short to hold an inner length has a wrong one."""
    if value.kind != BINARY or value.payload[4] != 2:
        return False
    length = _int32(value.payload, 0)
    return length < 4 or _int32(value.payload, 5) != length - 4


NULL_VALUE = Value(NULL, b"")


def depth(value: Value) -> int:
    """The nesting depth of a document or an array (1 for one without any inside), 0 for others."""
    if value.kind in (DOCUMENT, ARRAY):
        return 1 + max((depth(inner) for _, inner in value.fields()), default=0)
    if value.kind == CODE_WITH_SCOPE:
        code_length = _int32(value.payload, 4)
        return depth(Value(DOCUMENT, value.payload[8 + code_length:]))
    return 0
