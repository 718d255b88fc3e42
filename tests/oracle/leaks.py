"""Look for anything of a source in an anonymised copy: an independent reading of section "How it is
proved" in `docs/anonymise.md`.

    python3 leaks.py SOURCE.bson COPY.bson

Both files hold the same number of documents in the same order. It knows nothing of the tool's lists
of words: a word counts as uncommon if it is not in the list of the commonest words below, and the
words of the copy must be none of those. Prints what it finds, by document and path, and never text.
"""

import sys
import unicodedata
from pathlib import Path

import raw_bson
from raw_bson import ARRAY, BINARY, CODE, CODE_WITH_SCOPE, DOCUMENT, OBJECT_ID, REGEX, STRING, SYMBOL, Value

COMMON = Path(__file__).parent / "../../crates/reshelve-words/src/common_words.txt"
POLICY = Path(__file__).parent / "../../crates/reshelve/src/anonymize/policy.txt"


def documents(path: str) -> list:
    data, found, position = Path(path).read_bytes(), [], 0
    while position < len(data):
        length = int.from_bytes(data[position:position + 4], "little")
        found.append(data[position:position + length])
        position += length
    return found


def words(text: str) -> list:
    """Runs of letters and digits, in lower case."""
    found, word = [], ""
    for letter in text + " ":
        if letter.isalnum() or unicodedata.category(letter) in ("Mc", "Nl", "Lm", "Lo"):
            word += letter
        elif word:
            found.append(word.lower())
            word = ""
    return found


class Policy:
    """The paths of the table, and its closed words; its classes are of no interest here."""

    def __init__(self):
        self.closed, self.paths = {}, set()
        for line in POLICY.read_text().splitlines():
            path, _, *rest = line.split()
            if rest[:1] == ["one-of"]:
                self.closed[path] = set(rest[1:])
            if rest[:1] != ["subtree"]:
                self.paths.add(path)
        self.paths |= {"analysis", "progress.recoveryAttempts[]"}


TABLE = Policy()
MAPS = ("metadata.storyBible.characters", "metadata.storyBible.locations")
PHASES = {"premise_analysis", "outline_generation", "chapter_writing", "quality_validation", "finalization"}


def string(payload: bytes) -> str:
    return payload[4:-1].decode("utf-8", "replace")


def pieces(value: Value, path: str):
    """(path, kind, content) of every text, name that is data, binary and id, in order; below a path
    that the table does not know, the path ends in `?`."""
    for index, (name, inner) in enumerate(value.fields()):
        if value.kind == ARRAY:
            below, is_data = f"{path}[]", name != str(index)
        elif path in MAPS:
            below, is_data = f"{path}.*", True
        elif path == "metadata.phaseStartTimes":
            below, is_data = f"{path}.*", name not in PHASES
        else:
            below = f"{path}.{name}" if path else name
            is_data = below not in TABLE.paths
        if below not in TABLE.paths:
            below = "?"
        if is_data:
            yield path, "text", name
        if inner.kind in (DOCUMENT, ARRAY):
            yield from pieces(inner, below)
        elif inner.kind == STRING:
            text = string(inner.payload)
            if text not in TABLE.closed.get(below, ()) and not is_ours(below, text):
                yield below, "text", text
        elif inner.kind in (CODE, SYMBOL):
            yield below, "text", string(inner.payload)
        elif inner.kind == CODE_WITH_SCOPE:
            code = raw_bson._int32(inner.payload, 4)
            yield below, "text", inner.payload[8:7 + code].decode("utf-8", "replace")
            yield from pieces(Value(DOCUMENT, inner.payload[8 + code:]), "?")
        elif inner.kind == REGEX:
            yield below, "text", inner.payload.split(b"\0")[0].decode("utf-8", "replace")
        elif inner.kind == BINARY:
            yield below, "bytes", inner.payload[5:]
        elif inner.kind == OBJECT_ID:
            yield below, "id", inner.payload.hex()


def is_ours(path: str, text: str) -> bool:
    """What the mapping writes itself for want of a text or an id."""
    if path.endswith("continuityAlerts[].message") or path.endswith("continuityAlerts[].details"):
        return text == "(no message)"
    return path.endswith(".id") and text.startswith("legacy-") and text[7:].isdigit()


def is_short(word: str) -> bool:
    return len(word) == 1 or (len(word) <= 4 and word.isascii() and word.isdigit())


def main() -> int:
    source, copy = documents(sys.argv[1]), documents(sys.argv[2])
    if len(source) != len(copy):
        print(f"{len(source)} documents and {len(copy)}")
        return 1
    common = set(COMMON.read_text().split())
    uncommon, found = set(), 0
    originals = []
    for data in source:
        here = list(pieces(Value(DOCUMENT, data), ""))
        originals.append(here)
        for _, kind, content in here:
            if kind == "text":
                uncommon.update(word for word in words(content) if word not in common and not is_short(word))
            elif kind == "id":
                uncommon.add(content)
    for number, (here, data) in enumerate(zip(originals, copy)):
        runs = set()
        for _, kind, content in here:
            if kind == "text":
                all_words = words(content)
                runs.update(zip(all_words, all_words[1:], all_words[2:], all_words[3:]))
        there = list(pieces(Value(DOCUMENT, data), ""))
        if len(here) != len(there):
            print(f"document {number}: {len(here)} pieces and {len(there)}")
            found += 1
        if abs(len(source[number]) - len(data)) > max(64, len(source[number]) // 50):
            print(f"document {number}: {len(source[number])} bytes and {len(data)}")
            found += 1
        for (_, kind, before), (path, _, after) in zip(here, there):
            leaks = set()
            if kind == "text":
                old, new = words(before), words(after)
                if len(old) != len(new):
                    leaks.add("other words")
                same = [one == other for one, other in zip(old, new)]
                if any(one and other for one, other in zip(same, same[1:])):
                    leaks.add("in place")
                if runs.intersection(zip(new, new[1:], new[2:], new[3:])):
                    leaks.add("run")
                if any(word in uncommon for word in new):
                    leaks.add("word")
            elif kind == "bytes" and len(before) >= 8 and before == after:
                leaks.add("in place")
            elif kind == "id" and after in uncommon:
                leaks.add("id")
            for leak in sorted(leaks):
                print(f"document {number}: {leak} at {path}")
                found += 1
    print(f"{len(copy)} documents, {found} leaks")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
