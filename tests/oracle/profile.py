#!/usr/bin/env python3
"""Count a collection again, from the contract of the profile (`docs/json.md`, `reshelve.profile/1`).

`profile.py SOURCE.bson` prints what it counts as JSON.  `profile.py SOURCE.bson --found FILE
[--counts FILE]` compares another implementation's `profile --json` with it, and its forecast with
the counts that `corpora.py` wrote; it prints the first differences and exits 1 where there is one.
Standard library only; everything is kept in plain dictionaries, in no particular hurry.
"""

import argparse
import json
import math
import struct
import sys
from pathlib import Path

import raw_bson as bson
from raw_bson import Value

ALIASES = {
    bson.DOUBLE: "double", bson.STRING: "string", bson.DOCUMENT: "object", bson.ARRAY: "array",
    bson.BINARY: "binData", bson.UNDEFINED: "undefined", bson.OBJECT_ID: "objectId",
    bson.BOOLEAN: "bool", bson.DATE: "date", bson.NULL: "null", bson.REGEX: "regex",
    bson.DB_POINTER: "dbPointer", bson.CODE: "javascript", bson.SYMBOL: "symbol",
    bson.CODE_WITH_SCOPE: "javascriptWithScope", bson.INT32: "int", bson.TIMESTAMP: "timestamp",
    bson.INT64: "long", bson.DECIMAL128: "decimal", bson.MIN_KEY: "minKey", bson.MAX_KEY: "maxKey",
}
MAPS = {"metadata.storyBible.characters", "metadata.storyBible.locations", "metadata.phaseStartTimes"}
PATHS_MAX = 10_000
PATH_BYTES_MAX = 4_096
PATHS_BYTES_MAX = 8 * 1024 * 1024
LEVELS_MAX = 500
OTHER = "<other>"
IN_FLIGHT_MAX = 1_000
IN_FLIGHT = {"planning", "pending", "queued", "outlining", "writing", "recovering", "processing",
             "analyzing", "running"}
DEPTH_MAX = 100
VALUES_MAX = 50
VALUE_BYTES_MAX = 64
# Fields of which the legacy schema lists the words, or calls the value a key or a model.
ENUMERATIONS = {
    "status", "currentPhase", "genre", "subgenre", "chapters[].status",
    "modelUsage.outlineGeneration.model", "modelUsage.chapterGeneration.model",
    "modelUsage.premiseAnalysis.model", "metadata.storyBible.plotThreads[].status",
    "metadata.storyBible.timeline[].importance", "metadata.continuityAlerts[].severity",
    "metadata.enhancementsApplied[].type", "metadata.aiDecisions[].type",
}
# Unicode White_Space and U+FEFF.
BLANK = set("\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff") | {
    chr(code) for code in range(0x2000, 0x200B)}
DATE_MIN, DATE_MAX = -62_167_219_200_000, 253_402_300_799_999
SHOWN_MAX = 10


def split(data: bytes) -> list:
    documents, position = [], 0
    while position < len(data):
        length = struct.unpack_from("<i", data, position)[0]
        documents.append(data[position:position + length])
        position += length
    return documents


def first(value: Value, name: str):
    """The first field of that name, or None."""
    return next((inner for found, inner in value.fields() if found == name), None)


def text(value):
    """The text of a string, or None."""
    if value is None or value.kind != bson.STRING:
        return None
    return value.payload[4:-1].decode("utf-8")


def number(value):
    """The value of an Int32, Int64 or finite Double, or None."""
    form = {bson.INT32: "<i", bson.INT64: "<q", bson.DOUBLE: "<d"}.get(value.kind if value else None)
    found = float(struct.unpack(form, value.payload)[0]) if form else None
    return found if found is not None and math.isfinite(found) else None


def is_a(value, kind: int) -> bool:
    return value is not None and value.kind == kind


def documents_of(value) -> list:
    """The documents of an array; of anything else none."""
    if not is_a(value, bson.ARRAY):
        return []
    return [inner for _, inner in value.fields() if inner.kind == bson.DOCUMENT]


def job_id(value):
    """Section 3: the job id, or None where the `_id` is missing or unsupported."""
    if is_a(value, bson.OBJECT_ID):
        return value.payload.hex()
    identity = text(value)
    if identity is None or not 1 <= len(identity.encode("utf-8")) <= 128:
        return None
    return None if identity[0] in BLANK or identity[-1] in BLANK else identity


def era(document: Value) -> int:
    """Section 7: the newest era a feature of which is present with its type."""
    if is_a(first(document, "metadata"), bson.DOCUMENT):
        return 5
    outline = documents_of(first(document, "outline"))
    if is_a(first(document, "humanLikeWriting"), bson.BOOLEAN) or any(
            is_a(first(entry, "humanLikeElements"), bson.DOCUMENT) for entry in outline):
        return 4
    chapters = documents_of(first(document, "chapters"))
    progress = first(document, "progress")
    failed = number(first(progress, "chaptersFailed")) if is_a(progress, bson.DOCUMENT) else None
    if any(is_a(first(chapter, "status"), bson.STRING) for chapter in chapters) or (
            failed is not None and failed >= 0):
        return 2
    return 1


def is_readable(value: Value) -> bool:
    """Section 2: whether a part that is copied is written."""
    if value.kind in (bson.REGEX, bson.CODE, bson.CODE_WITH_SCOPE, bson.SYMBOL, bson.DB_POINTER):
        return False
    if value.kind not in (bson.DOCUMENT, bson.ARRAY):
        return not bson.has_wrong_inner_length(value)
    return all(is_readable(inner) and not (value.kind == bson.DOCUMENT and name.startswith("$"))
               for name, inner in value.fields())


def is_too_deep(document: Value, depth: int) -> bool:
    """Section 10: of the target only `context.analysis` nests deeper than where it came from."""
    if depth != DEPTH_MAX:
        return depth > DEPTH_MAX
    analysis = first(document, "analysis")
    return is_a(analysis, bson.DOCUMENT) and is_readable(analysis) and bson.depth(analysis) + 2 > DEPTH_MAX


def word(value) -> str:
    """A status or a phase as the profile names it."""
    if value is None:
        return "<missing>"
    if value.kind != bson.STRING:
        return f"<{ALIASES[value.kind]}>"
    found = text(value)
    return OTHER if len(found.encode("utf-8")) > 64 else found


class Field:
    """What is counted at one path."""

    def __init__(self):
        self.positions = set()
        self.occurrences = 0
        self.types = {}
        self.numbers = []
        self.strings = []
        self.dates = []


class Counter:
    """Everything that is counted."""

    def __init__(self):
        self.sizes = []
        self.fields = {}
        self.path_bytes = 0
        self.statuses = {}
        self.phases = {}
        self.eras = {}
        self.in_flight = []

    def add(self, position: int, data: bytes):
        self.sizes.append(len(data))
        try:
            depth = bson.check(data)
        except bson.MalformedBson:
            return
        document = Value(bson.DOCUMENT, data)
        for name, value in document.fields():
            self.field(position, name, value)
        status, phase = (word(first(document, name)) for name in ("status", "currentPhase"))
        self.statuses[status] = self.statuses.get(status, 0) + 1
        phases = self.phases.setdefault(status, {})
        phases[phase] = phases.get(phase, 0) + 1
        self.eras[str(era(document))] = self.eras.get(str(era(document)), 0) + 1
        identity = job_id(first(document, "_id"))
        if not is_too_deep(document, depth) and identity is not None and text(first(document, "status")) in IN_FLIGHT:
            self.in_flight.append(identity)

    def full(self) -> bool:
        return len(self.fields) - (OTHER in self.fields) >= PATHS_MAX

    def field(self, position: int, path: str, value: Value, level: int = 1):
        size = len(path.encode("utf-8"))
        if path not in self.fields:
            if (self.full() or size > PATH_BYTES_MAX
                    or self.path_bytes + size > PATHS_BYTES_MAX):
                found = self.fields.setdefault(OTHER, Field())
            else:
                self.path_bytes += size
                found = self.fields.setdefault(path, Field())
        else:
            found = self.fields[path]
        found.positions.add(position)
        found.occurrences += 1
        alias = ALIASES[value.kind]
        found.types[alias] = found.types.get(alias, 0) + 1
        if alias == "string":
            found.strings.append(text(value))
        elif alias == "date":
            found.dates.append(struct.unpack("<q", value.payload)[0])
        elif number(value) is not None:
            found.numbers.append(number(value))
        if level >= LEVELS_MAX:
            return
        if value.kind == bson.DOCUMENT:
            for name, inner in value.fields():
                self.field(position, f"{path}.{'*' if path in MAPS else name}", inner, level + 1)
        elif value.kind == bson.ARRAY:
            for _, inner in value.fields():
                self.field(position, path + "[]", inner, level + 1)

    def profile(self) -> dict:
        return {
            "documents": len(self.sizes),
            "bytes": sum(self.sizes),
            "size": {"mean": sum(self.sizes) / len(self.sizes) if self.sizes else 0,
                     **{f"p{percent}": self.nearest_rank(percent) for percent in (50, 90, 99)},
                     "max": max(self.sizes, default=0)},
            "fields": {path: self.told(path, field) for path, field in self.fields.items()},
            "statuses": self.statuses,
            "status_phases": self.phases,
            "eras": self.eras,
            "in_flight": self.in_flight[:IN_FLIGHT_MAX],
            "in_flight_total": len(self.in_flight),
        }

    def nearest_rank(self, percent: int) -> int:
        ordered = sorted(self.sizes)
        return ordered[math.ceil(percent * len(ordered) / 100) - 1] if ordered else 0

    def told(self, path: str, field: Field) -> dict:
        told = {"documents": len(field.positions), "occurrences": field.occurrences, "types": field.types}
        if field.numbers:
            told["numbers"] = spread(field.numbers)
        if field.strings:
            told["string_bytes"] = spread([len(one.encode("utf-8")) for one in field.strings])
            values = {}
            for one in field.strings:
                values[one] = values.get(one, 0) + 1
            short = all(len(one.encode("utf-8")) <= VALUE_BYTES_MAX for one in values)
            often = len(field.strings) >= 2 * len(values) or path in ENUMERATIONS
            if short and often and len(values) <= VALUES_MAX:
                told["values"] = values
        if field.dates:
            told["dates"] = {"first": min(field.dates), "last": max(field.dates)}
        return told


def spread(numbers: list) -> dict:
    return {"count": len(numbers), "min": min(numbers), "max": max(numbers),
            "mean": sum(number / len(numbers) for number in numbers)}


def milliseconds(date) -> int:
    """A date as the profile tells it, in milliseconds."""
    if isinstance(date, int):
        assert not DATE_MIN <= date <= DATE_MAX, "such a date has an ISO form"
        return date
    year, month, day = int(date[0:4]), int(date[5:7]), int(date[8:10])
    # Days since 1970-03-01 in a calendar whose years begin in March, by the rules of 400 years.
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1 - 719_468
    hours, minutes, seconds = int(date[11:13]), int(date[14:16]), int(date[17:19])
    return ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1_000 + int(date[20:23])


def field_of(found: dict) -> dict:
    """A field of the other implementation, as far as it is counted here."""
    told = {name: found[name] for name in ("documents", "occurrences", "types", "numbers",
                                           "string_bytes", "values") if name in found}
    if "dates" in found:
        told["dates"] = {name: milliseconds(date) for name, date in found["dates"].items()}
    return told


def differences(expected, found, where: str):
    """Every place where two values differ, as a line; means may differ in their last digits."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            below = f"{where} {name!r}" if where else name
            if name not in expected or name not in found:
                yield f"{below}: {'not expected' if name in found else 'missing'}"
            elif name == "mean":
                slack = 1e-9 * max(abs(expected.get("min", 0)), abs(expected["max"]))
                if abs(expected[name] - found[name]) > slack:
                    yield f"{below}: expected {expected[name]}, found {found[name]}"
            else:
                yield from differences(expected[name], found[name], below)
    elif expected != found:
        yield f"{where}: expected {expected!r:.200}, found {found!r:.200}"


def compare(expected: dict, found: dict, counts) -> int:
    if found.get("schema") != "reshelve.profile/1":
        print("the schema is not reshelve.profile/1")
        return 1
    paths = [field["path"] for field in found["fields"]]
    lines = [] if len(paths) == len(set(paths)) else ["a path is told twice"]
    told = {name: found[name] for name in expected if name != "fields"}
    told["fields"] = {field["path"]: field_of(field) for field in found["fields"]}
    lines.extend(differences(expected, told, ""))
    if counts is not None:
        forecast = {name: counts[name] for name in ("warnings", "rejects")}
        lines.extend(differences(forecast, {name: found["forecast"][name] for name in forecast}, "forecast"))
    for line in lines[:SHOWN_MAX]:
        print(line)
    print(f"profile: {expected['documents']} documents, {len(expected['fields'])} paths, {len(lines)} different")
    return 1 if lines else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--found", type=Path, help="what another implementation printed")
    parser.add_argument("--counts", type=Path, help="counts.json of the same documents and options")
    arguments = parser.parse_args()
    sys.setrecursionlimit(100_000)
    counter = Counter()
    for position, data in enumerate(split(arguments.source.read_bytes())):
        counter.add(position, data)
    expected = counter.profile()
    if arguments.found is None:
        json.dump(expected, sys.stdout, ensure_ascii=False)
        return 0
    found = json.loads(arguments.found.read_text(encoding="utf-8"))
    counts = json.loads(arguments.counts.read_text(encoding="utf-8")) if arguments.counts else None
    return compare(expected, found, counts)


if __name__ == "__main__":
    sys.exit(main())
