#!/usr/bin/env python3
"""Compare another implementation's output with the oracle's: `compare.py EXPECTED FOUND`.

EXPECTED is a folder that `corpora.py` wrote (`OUTDIR/<corpus>/<option set>`); FOUND holds
`novel_*.bson` and, where it has it, `warnings.jsonl` (as `corpora.py` writes it).
`legacy.residue` of FOUND's metadata is ignored.  `--rejects FILE` compares reject lines (with
`position`, `code`, `path`; no file is no rejects).  `--source FILE --restored FILE` compares what
was restored with the documents of the source that the oracle mapped, in the order of the target.
Prints the first differences of each file; exits 1 where there is one.
"""

import argparse
import json
import struct
import sys
from pathlib import Path

import raw_bson as bson
from raw_bson import Value

SHOWN_MAX = 5


def documents_of_file(path: Path) -> list:
    data, position, documents = path.read_bytes(), 0, []
    while position < len(data):
        length = struct.unpack_from("<i", data, position)[0]
        documents.append(data[position:position + length])
        position += length
    return documents


def without_residue(metadata: bytes) -> bytes:
    """The document without `legacy.residue`, all else the same bytes."""
    def strip(name, value):
        if name != "legacy" or value.kind != bson.DOCUMENT:
            return value
        return bson.document([(inner, part) for inner, part in value.fields() if inner != "residue"])

    fields = Value(bson.DOCUMENT, metadata).fields()
    return bson.encode([(name, strip(name, value)) for name, value in fields])


def first_difference(expected: Value, found: Value, path: str) -> str:
    """The first path where two values part, with both."""
    if expected.kind == found.kind and expected.kind in (bson.DOCUMENT, bson.ARRAY):
        for (name, left), (other, right) in zip(expected.fields(), found.fields()):
            if name != other:
                return f"{path}: expected field {name!r}, found {other!r}"
            if left != right:
                return first_difference(left, right, f"{path}.{name}" if path else name)
        names = [[name for name, _ in value.fields()] for value in (expected, found)]
        return f"{path}: {len(names[0])} fields expected, {len(names[1])} found (last {names[0][-1:]} and {names[1][-1:]})"
    return f"{path}: expected {expected!r:.200}, found {found!r:.200}"


def compare_lines(name: str, expected: list, found: list) -> int:
    """Compare two lists of JSON values; the number of differences."""
    left = {json.dumps(line, sort_keys=True) for line in expected}
    right = {json.dumps(line, sort_keys=True) for line in found}
    for sign, lines in (("missing", left - right), ("unexpected", right - left)):
        for line in sorted(lines, key=lambda line: json.loads(line)["position"])[:SHOWN_MAX]:
            print(f"{name}: {sign} {line:.400}")
    return len(left ^ right)


def json_lines(path: Path) -> list:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def compare_json_lines(name: str, expected: Path, found: Path, keys: tuple) -> int:
    """Compare two files of JSON lines by some of their keys; the number of differences."""
    both = [[{key: line[key] for key in keys} for line in json_lines(path)] if path.exists() else []
            for path in (expected, found)]
    for line in (line for lines in both for line in lines):
        if line.get("code", "").startswith("malformed-"):
            # Where in such a document the fault is, is for the reader of the list; the contract has no path.
            line.pop("path", None)
    count = compare_lines(name, *both)
    print(f"{name}: {len(both[0])} lines, {count} different")
    return count


def compare_restored(expected_folder: Path, source: Path, restored: Path) -> int:
    """Every mapped document of the source, byte for byte and in order; the number of differences."""
    documents = documents_of_file(source)
    mapped = [line["position"] for line in json_lines(expected_folder / "warnings.jsonl")]
    found = documents_of_file(restored)
    different = [position for position, document in zip(mapped, found) if documents[position] != document]
    for position in different[:SHOWN_MAX]:
        print(f"restored: the document at position {position} is another one")
    if len(mapped) != len(found):
        print(f"restored: {len(mapped)} documents expected, {len(found)} found")
    print(f"restored: {len(mapped)} documents, {len(different)} different")
    return len(different) + (len(mapped) != len(found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("expected", type=Path)
    parser.add_argument("found", type=Path)
    parser.add_argument("--rejects", type=Path)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--restored", type=Path)
    arguments = parser.parse_args()
    expected_folder, found_folder = arguments.expected, arguments.found
    different = 0
    for name in ("novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"):
        expected = documents_of_file(expected_folder / f"{name}.bson")
        found = documents_of_file(found_folder / f"{name}.bson")
        if name == "novel_job_metadata":
            found = list(map(without_residue, found))
        if len(expected) != len(found):
            print(f"{name}: {len(expected)} documents expected, {len(found)} found")
            different += 1
        unequal = [pair for pair in enumerate(zip(expected, found)) if pair[1][0] != pair[1][1]]
        different += len(unequal)
        for position, (left, right) in unequal[:SHOWN_MAX]:
            print(f"{name} {position}:", first_difference(Value(bson.DOCUMENT, left), Value(bson.DOCUMENT, right), ""))
        print(f"{name}: {len(expected)} documents, {len(unequal)} different")
    rejects = arguments.rejects or found_folder / "rejects.jsonl"
    if arguments.rejects or rejects.exists():
        different += compare_json_lines("rejects", expected_folder / "rejects.jsonl", rejects, ("position", "code", "path"))
    if (found_folder / "warnings.jsonl").exists():
        both = [folder / "warnings.jsonl" for folder in (expected_folder, found_folder)]
        different += compare_json_lines("warnings", *both, ("position", "warnings"))
    if arguments.restored:
        different += compare_restored(expected_folder, arguments.source, arguments.restored)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
