#!/usr/bin/env python3
"""Run the golden cases against the oracle: `check_cases.py ../cases`."""

import json
import sys
from pathlib import Path

import oracle
from extended_json import parse_document, parse_documents


def read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def check_case(folder: Path) -> list:
    """The differences between a case and the oracle, as lines; none where the case holds."""
    options = {}
    if (folder / "options.json").exists():
        options = json.loads(read_text(folder / "options.json"))
    result = oracle.map_document(parse_document(read_text(folder / "legacy.json")), options)
    if (folder / "reject.json").exists():
        expected = json.loads(read_text(folder / "reject.json"))
        if not isinstance(result, oracle.Reject):
            return [f"mapped, but should be rejected: {expected}"]
        found = {"code": result.code, "path": result.path}
        return [] if found == expected else [f"reject: {found}, not {expected}"]
    if isinstance(result, oracle.Reject):
        return [f"rejected: {result}"]
    differences = []
    for name, found in (("job", result.job), ("metrics", result.metrics), ("metadata", result.metadata)):
        expected = parse_document(read_text(folder / f"{name}.json"))
        if found != expected:
            differences.append(f"{name}: {difference(expected, found)}")
    events = parse_documents(read_text(folder / "events.json"))
    if len(events) != len(result.events):
        differences.append(f"events: {len(result.events)}, not {len(events)}")
    for n, (expected, found) in enumerate(zip(events, result.events)):
        if found != expected:
            differences.append(f"event {n}: {difference(expected, found)}")
    warnings = [(warning["code"], warning["path"]) for warning in json.loads(read_text(folder / "warnings.json"))]
    if warnings != result.warnings:
        differences.append(f"warnings: {result.warnings}, not {warnings}")
    return differences


def difference(expected: bytes, found: bytes) -> str:
    """Where two byte strings part, with some of what follows."""
    at = next((n for n, pair in enumerate(zip(expected, found)) if pair[0] != pair[1]),
              min(len(expected), len(found)))
    start = max(at - 40, 4)
    return f"at byte {at}: expected …{expected[start:at + 60]!r}, found …{found[start:at + 60]!r}"


def main() -> int:
    folders = sorted(path for path in Path(sys.argv[1]).iterdir() if (path / "legacy.json").exists())
    failed = 0
    for folder in folders:
        differences = check_case(folder)
        failed += bool(differences)
        print("FAIL" if differences else "pass", folder.name)
        for line in differences:
            print("    ", line)
    print(f"{len(folders) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
