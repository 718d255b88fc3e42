#!/usr/bin/env python3
"""Seeded corpora of legacy documents, and what the oracle makes of them.

`corpora.py OUTDIR --seed N --documents N [--large]` writes, for each corpus,
`OUTDIR/<corpus>/jobs.bson` and, for each set of options,
`OUTDIR/<corpus>/<option set>/{novel_jobs,novel_job_events,novel_job_metrics,novel_job_metadata}.bson`
(back to back in source order, metadata without `legacy.residue`), `rejects.jsonl`, `warnings.jsonl`,
`options.json` and `counts.json`.  The same seed and number give the same bytes.
"""

import argparse
import json
import multiprocessing
import random
import struct
import sys
from pathlib import Path

import oracle
import raw_bson as bson
from raw_bson import Value

OPTION_SETS = {
    "default": {},
    "evidence": {"status_policy": "evidence"},
    "as-failed": {"in_flight": "as-failed", "on_unknown_status": "failed"},
    "skip": {"in_flight": "skip"},
}
START = 1_753_351_200_000  # 2025-07-24T10:00:00.000Z
MINUTE = 60_000
YEAR_0 = oracle.DATE_MIN
YEAR_9999 = oracle.DATE_MAX


# --- a tree that can hold every BSON document ----------------------------------------------------------

class Doc(list):
    """A document as a list of [name, value], so that names can repeat."""

    def __init__(self, pairs=(), **fields):
        super().__init__([name, value] for name, value in [*pairs, *fields.items()])

    def get(self, name):
        return next((value for found, value in self if found == name), None)

    def set(self, name, value):
        """Replace the first field of that name, or add it."""
        for pair in self:
            if pair[0] == name:
                pair[1] = value
                return
        self.append([name, value])

    def drop(self, *names):
        self[:] = [pair for pair in self if pair[0] not in names]


class KeyedArray(list):
    """An array as a list of [key, value], for keys that are not 0, 1, 2 …"""


def to_value(tree) -> Value:
    """The BSON value of a tree of `Doc`, lists, `KeyedArray`, `Value` and plain Python values."""
    if isinstance(tree, Value):
        return tree
    if tree is None:
        return bson.NULL_VALUE
    if isinstance(tree, bool):
        return bson.boolean(tree)
    if isinstance(tree, int):
        return bson.int32(tree) if -2**31 <= tree < 2**31 else bson.double(float(tree))
    if isinstance(tree, float):
        return bson.double(tree)
    if isinstance(tree, str):
        return bson.string(tree)
    if isinstance(tree, KeyedArray):
        return Value(bson.ARRAY, bson.encode((key, to_value(inner)) for key, inner in tree))
    if isinstance(tree, Doc):
        return bson.document([(name, to_value(inner)) for name, inner in tree])
    return bson.array(map(to_value, tree))


def encode(tree: Doc) -> bytes:
    return to_value(tree).payload


def copy_tree(tree):
    if isinstance(tree, Doc):
        return Doc([(name, copy_tree(inner)) for name, inner in tree])
    if isinstance(tree, KeyedArray):
        return KeyedArray([key, copy_tree(inner)] for key, inner in tree)
    if isinstance(tree, list):
        return [copy_tree(inner) for inner in tree]
    return tree


def places(tree) -> list:
    """Every (container, index) below a tree."""
    found, open_containers = [], [tree]
    while open_containers:
        container = open_containers.pop()
        for index, item in enumerate(container):
            found.append((container, index))
            inner = item[1] if isinstance(container, (Doc, KeyedArray)) else item
            if isinstance(inner, list):
                open_containers.append(inner)
    return found


# --- scalars -------------------------------------------------------------------------------------------

def oid(seconds: int, tail: int) -> Value:
    return bson.object_id(struct.pack(">IQ", seconds & 0xFFFFFFFF, tail & (2**64 - 1)))


def date(milliseconds: int) -> Value:
    return bson.date(milliseconds)


def long(number: int) -> Value:
    return bson.int64(number)


def regex(pattern="^a", options="i") -> Value:
    return Value(bson.REGEX, pattern.encode() + b"\0" + options.encode() + b"\0")


def code(text="return 1") -> Value:
    return Value(bson.CODE, bson.string(text).payload)


def symbol(text="a symbol") -> Value:
    return Value(bson.SYMBOL, bson.string(text).payload)


def code_with_scope(scope: Doc, text="f()") -> Value:
    inner = bson.string(text).payload + encode(scope)
    return Value(bson.CODE_WITH_SCOPE, struct.pack("<i", len(inner) + 4) + inner)


def db_pointer(namespace="db.c") -> Value:
    return Value(bson.DB_POINTER, bson.string(namespace).payload + bytes(range(12)))


def raw_double(bits: int) -> Value:
    return Value(bson.DOUBLE, struct.pack("<Q", bits))


UNDEFINED = Value(bson.UNDEFINED, b"")
MIN_KEY = Value(bson.MIN_KEY, b"")
MAX_KEY = Value(bson.MAX_KEY, b"")
DECIMAL_FOUR = Value(bson.DECIMAL128, struct.pack("<QQ", 4, 0x3040 << 48))

ODD_NUMBERS = [
    -0.0, 0.0, 0, 1, -1, 2.5, -2.5, 1e21, 1e22, 5e-324, 0.1 + 0.2, 1e-7, 123456789012345680.0, 1.7976931348623157e308,
    -1.7976931348623157e308, 1e308, 2147483647, 2147483648.0, -2147483648.0, -2147483649.0, 2147483647.0, 0.005,
    0.0050000000000000001, 1.0, 3.0, 1e15, 1e16, 9007199254740993.0, 4.35, 1 / 3, 100.0, 4.9e-320, 2.2250738585072014e-308,
    long(0), long(1), long(-1), long(2**31), long(2**31 - 1), long(-2**31), long(-2**31 - 1), long(2**53), long(2**53 + 1),
    long(2**53 - 1), long(2**63 - 1), long(-2**63), long(9007199254740995), long(1 << 60),
]
BAD_NUMBERS = [
    float("nan"), float("inf"), float("-inf"), raw_double(0x7FF8000000000001), raw_double(0xFFF8DEADBEEF0001),
    raw_double(0x7FF0000000000001), DECIMAL_FOUR, "5", True,
]
ODD_DATES = [
    date(YEAR_0), date(YEAR_0 - 1), date(YEAR_9999), date(YEAR_9999 + 1), date(0), date(-1), date(1), date(-2**63),
    date(2**63 - 1), date(START), date(START + 1), date(-62135596800000), date(-62135596800001), date(951782400000),
    date(4107542400000), date(-2203891200000), date(YEAR_0 + 59 * 86_400_000), date(4294967295999), date(4294967296000),
    date(YEAR_9999 - 1), date(YEAR_9999 - 5),
]
NUMBER_TIMES = [
    0, -0.0, -0.5, -1, 0.5, 0.999, 1.0, START, float(START), START + 0.75, long(START), long(-1), long(0), 253402300799999.0,
    253402300799999.5, 253402300800000.0, long(253402300799999), long(253402300800000), long(2**63 - 1), float("nan"),
    float("inf"), float("-inf"), 1e300, 5e-324, -5e-324, 2147483647, DECIMAL_FOUR, "2025-07-24T10:00:00.000Z",
]
ODD_STRINGS = [
    "", " ", "a", "_", "#2", "a#2", "completed", "failed", "pending", "Mara", "Mara and Tom", "\0", "a\0b", "\ufeff", "é\u0301",
    "\U0001f4d5 book", "\uffff", "$x", "a.b", "x" * 300, "\u2028", "info", "warning", "Critical", "\x7f\x80", "日本語",
]
LEGACY_STATUSES = [
    "planning", "pending", "queued", "outlining", "writing", "recovering", "processing", "analyzing", "running", "completed",
    "failed", "cancelled",
]


def odd_scalar(rng) -> object:
    """A value of any type, often one that a rule treats in its own way."""
    return rng.choice([
        lambda: rng.choice(ODD_NUMBERS), lambda: rng.choice(BAD_NUMBERS), lambda: rng.choice(ODD_DATES),
        lambda: rng.choice(NUMBER_TIMES), lambda: rng.choice(ODD_STRINGS), lambda: None, lambda: UNDEFINED,
        lambda: rng.random() < 0.5, lambda: oid(rng.getrandbits(32), rng.getrandbits(64)),
        lambda: bson.binary(rng.randbytes(rng.randrange(6)), rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 9, 0x80, 0xFF])),
        lambda: regex(rng.choice(["^a", "", "é"]), rng.choice(["", "i", "mi", "z"])), code, symbol, db_pointer,
        lambda: code_with_scope(Doc(x=rng.choice([1, None, "y"]))), lambda: MIN_KEY, lambda: MAX_KEY,
        lambda: DECIMAL_FOUR, lambda: Value(bson.TIMESTAMP, rng.randbytes(8)), lambda: Value(bson.DECIMAL128, rng.randbytes(16)),
        lambda: Doc(), lambda: [], lambda: Doc([("$x", 1)]), lambda: [None], lambda: [Doc()], lambda: ["", "a", 5],
        lambda: Doc(a=[Doc(b=regex())]), lambda: KeyedArray([["7", "a"], ["", "b"], ["$k", Doc(c=1)], ["7", 3]]),
        lambda: Doc(_id=1, name="n", status="completed"), lambda: Doc(when=date(START), deep=[Doc(when=date(YEAR_0 - 1))]),
    ])()


# --- novels as the application stored them -----------------------------------------------------------------

WORDS = ("the keeper of a second lighthouse finds Mara's letters and a storm carries the harbor away while "
         "Tom counts boats, rain — “salt”, café, naïve, 灯台, winter").split()
GENRES = [("MYSTERY_THRILLER", "READERS'_CHOICE"), ("CHILDREN'S", "PICTURE_BOOK"), ("SCIENCE_FICTION", "HARD_SF")]
HUMAN_ELEMENTS = ["structureType", "characterConflict", "moralComplexity", "unresolvedElement", "surpriseElement", "mundaneDetail"]


def prose(rng, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


class Novels:
    """Makes legacy documents; every one takes a fresh ObjectId."""

    def __init__(self, rng):
        self.rng = rng
        self.count = 0

    def next_id(self, milliseconds=None) -> Value:
        self.count += 1
        time = START if milliseconds is None else milliseconds
        return oid(time // 1000, self.count << 8 | self.rng.randrange(256))

    def outline(self, era: int, length: int, at: int) -> list:
        rng, entries = self.rng, []
        for number in range(1, length + 1):
            entry = Doc(chapterNumber=number, title=f"Chapter {number}: {prose(rng, 2)}", summary=prose(rng, 12),
                        keyEvents=[prose(rng, 4) for _ in range(rng.randrange(4))], characterFocus=["Mara", "Tom"][:rng.randrange(3)],
                        plotAdvancement=prose(rng, 3), wordTarget=rng.choice([1800, 2000, 2500, 2142.857142857143]),
                        genreElements=["mystery"])
            if era >= 4:
                entry.set("humanLikeElements", Doc([(name, prose(rng, 2)) for name in HUMAN_ELEMENTS]))
            entry.set("_id", oid(at // 1000, rng.getrandbits(64)))
            entries.append(entry)
        return entries

    def chapter(self, era: int, number: int, status: str, at: int) -> Doc:
        rng = self.rng
        chapter = Doc(chapterNumber=number, title=f"Chapter {number}")
        if status == "completed":
            content = prose(rng, rng.randrange(5, 60))
            chapter.extend([["content", content], ["wordCount", len(content.split())]])
            tokens = rng.randrange(1000, 4000)
            cost = tokens * 0.0000125
        else:
            chapter.extend([["content", None], ["wordCount", None]])
        if era >= 2:
            attempts = {"completed": rng.choice([1, 1, 2]), "failed": 3, "generating": rng.choice([1, 2]), "pending": 0}[status]
            chapter.extend([["status", status], ["attempts", attempts]])
            if status == "failed" or (status == "generating" and rng.random() < 0.3):
                chapter.set("failureReason", f"Failed to generate chapter {number} after 3 attempts: 429 Rate limit reached")
            if status in ("failed", "generating"):
                chapter.set("lastAttemptAt", date(at))
        chapter.set("qualityScore", 0)
        if status == "completed":
            chapter.extend([["tokensUsed", tokens], ["cost", cost]])
        chapter.set("_id", oid(at // 1000, rng.getrandbits(64)))
        chapter.set("generatedAt", date(at if status == "completed" else START + MINUTE))
        return chapter

    def metadata_defaults(self) -> Doc:
        return Doc(
            storyBible=Doc(characters=Doc(), locations=Doc(), plotThreads=[], timeline=[], themes=[]),
            enhancedQualityMetrics=Doc(humanLikenessScore=0, complexityScore=0, consistencyScore=0, creativityScore=0),
            costTracking=Doc(breakdown=Doc(analysis=0, outline=0, chapters=0), totalCost=0, tokensUsed=0, estimatedRemaining=0),
            performance=Doc(totalRequests=0, errorCount=0), continuityAlerts=[], enhancementsApplied=[], aiDecisions=[])

    def novel(self, era: int, status: str, phase: str, chapter_statuses: list, outline_length=None) -> Doc:
        """A document of that era, status, phase and these chapters."""
        rng = self.rng
        length = len(chapter_statuses) if outline_length is None else outline_length
        start = START + rng.randrange(-10**9, 10**9)
        genre, subgenre = rng.choice(GENRES)
        at = start + MINUTE
        chapters = []
        for number, chapter_status in enumerate(chapter_statuses, 1):
            at += rng.randrange(1, 5 * MINUTE)
            chapters.append(self.chapter(era, number, chapter_status, at))
        done = chapter_statuses.count("completed")
        failed = [n for n, chapter_status in enumerate(chapter_statuses, 1) if chapter_status == "failed"]
        novel = Doc(_id=self.next_id(start), status=status, currentPhase=phase, premise=prose(rng, 20),
                    title=prose(rng, 3), genre=genre, subgenre=subgenre, targetWordCount=rng.choice([20000, 80000, 200000]),
                    targetChapters=rng.choice([length or 8, 12]))
        if era >= 4:
            novel.set("humanLikeWriting", True)
        novel.set("outline", self.outline(era, length, start + MINUTE // 2))
        novel.set("chapters", chapters)
        outline_usage = Doc(model="gpt-4o-mini", tokensUsed=5200, cost=0.00255, duration=41000) if length else None
        chapter_usage = None
        if status == "completed" or rng.random() < 0.2:
            costs = [chapter.get("cost") for chapter in chapters if chapter.get("cost") is not None]
            tokens = [chapter.get("tokensUsed") for chapter in chapters if chapter.get("tokensUsed") is not None]
            chapter_usage = Doc(model="gpt-4o", tokensUsed=sum(tokens), cost=sum(costs), duration=rng.randrange(10**6))
        novel.set("modelUsage", Doc(outlineGeneration=outline_usage, chapterGeneration=chapter_usage))
        progress = Doc(outlineComplete=bool(length), chaptersCompleted=done, totalChapters=novel.get("targetChapters"))
        if status == "completed" or rng.random() < 0.5:
            progress.set("estimatedCompletion", date(at + MINUTE))
        progress.set("lastActivity", date(at))
        if era >= 2:
            progress.extend([["chaptersFailed", len(failed)], ["failedChapterNumbers", failed], ["hasFailures", bool(failed)]])
        novel.set("progress", progress)
        if era == 1 and status == "completed":
            novel.set("qualityMetrics", Doc(averageChapterLength=rng.random() * 3000, genreAdherence=0.85,
                                            characterConsistency=0.8, plotContinuity=0.88))
        if era >= 5:
            novel.set("metadata", self.metadata_defaults())
        novel.extend([["createdAt", date(start)], ["updatedAt", date(at if rng.random() < 0.6 else start)], ["__v", rng.randrange(9)]])
        if era == 1 and status == "completed":
            novel.set("completedAt", date(at + rng.randrange(1000)))
        return novel

    def finished(self) -> Doc:
        era = self.rng.randrange(1, 6)
        phase = "finalization" if era == 1 else "completed"
        return self.novel(era, "completed", phase, ["completed"] * self.rng.randrange(1, 12))

    def any_stage(self) -> Doc:
        """Section "Life cycle shapes" and "What lies" of legacy-schema.md."""
        rng, era = self.rng, self.rng.randrange(1, 6)
        count = rng.randrange(1, 9)
        stage = rng.randrange(9)
        if stage == 0:
            novel = self.novel(era, "planning", "premise_analysis", [], outline_length=0)
        elif stage == 1:
            novel = self.novel(era, "outlining", "outline_generation", [], outline_length=rng.choice([0, count]))
        elif stage == 2:
            done = rng.randrange(count)
            statuses = [rng.choice(["completed", "completed", "failed"]) for _ in range(done)] + ["generating"]
            novel = self.novel(era, "writing", "chapter_writing", (statuses + ["pending"] * count)[:count], outline_length=count)
        elif stage == 3:
            novel = self.novel(era, "completed", "completed", [rng.choice(["completed", "failed"]) for _ in range(count)])
        elif stage == 4:
            statuses = rng.choice([[], ["pending"] * count, ["failed"] * count, ["completed"] * count, ["completed", "generating"]])
            phase = rng.choice(["premise_analysis", "outline_generation", "chapter_writing", "completed"])
            novel = self.novel(era, "failed", phase, statuses, outline_length=rng.choice([None, 0, count]))
        elif stage == 5:
            statuses = [rng.choice(["completed", "failed", "generating", "pending"]) for _ in range(count)]
            novel = self.novel(era, "recovering", "chapter_writing", statuses)
        elif stage == 6:
            novel = self.novel(era, "completed", "completed", ["failed"] * count)
        elif stage == 7:
            novel = self.novel(era, rng.choice(["failed", "cancelled"]), "chapter_writing", ["completed"] * count)
        else:
            novel = self.novel(era, rng.choice(LEGACY_STATUSES), rng.choice(["error", "cancelled", "cleaned_up"]),
                               [rng.choice(["completed", "failed"]) for _ in range(count)], outline_length=rng.choice([0, None, 9]))
        self.tell_lies(novel)
        return novel

    def tell_lies(self, novel: Doc):
        rng = self.rng
        progress, chapters = novel.get("progress"), novel.get("chapters")
        if rng.random() < 0.2:
            progress.set("hasFailures", rng.random() < 0.5)
        if rng.random() < 0.2:
            progress.set("chaptersCompleted", rng.randrange(5))
        if rng.random() < 0.2:
            progress.set("failedChapterNumbers", [rng.randrange(4) for _ in range(rng.randrange(4))])
        if rng.random() < 0.2 and chapters:
            rng.choice(chapters).set("chapterNumber", rng.randrange(1, 4))
        if rng.random() < 0.2:
            novel.get("modelUsage").set("chapterGeneration", rng.choice([
                None, Doc(model="gpt-4o", tokensUsed=10**6, cost=9.5, duration=5), Doc(model="gpt-4o", tokensUsed=1, cost=0.0001, duration=5)]))
        if rng.random() < 0.15:
            progress.drop("lastActivity")
        if rng.random() < 0.1:
            novel.drop("updatedAt")
        if rng.random() < 0.1:
            novel.drop("createdAt")
        if rng.random() < 0.1:
            novel.set("completedAt", date(START + rng.randrange(-10**9, 10**9)))
        if rng.random() < 0.1:
            novel.drop(rng.choice(["outline", "chapters", "progress", "modelUsage", "targetChapters", "currentPhase", "humanLikeWriting"]))


# --- populated metadata ------------------------------------------------------------------------------------

NAMES = [
    "Mara", "Tom", "Ann", "Anna", "Annabel", "Mara's", "St. John", "St\uff0e John", "$boss", "\uff04boss", "$", "", "_", "a.b", "a\uff0eb",
    "a\uff0eb#2", "...", "$$x", ".$", "#2", "__proto__", "constructor", "é", "é\u0301", "日本", "mara", " ", "Tom Tom", "\U0001f600", "_#2",
    "0", "x" * 200, "a\uff0eb#3", "\uffff", "\U00010000",
]


def some_names(rng, count: int) -> list:
    """Names of entries, some of them repeated."""
    return [rng.choice(NAMES) for _ in range(count)]


def relationship(rng) -> str:
    parts = [rng.choice(NAMES + ["sister of", "with", "and", "hates", "."]) for _ in range(rng.randrange(5))]
    return rng.choice(["", " "]).join(parts)


def any_time(rng, spread=10 * MINUTE):
    pick = rng.random()
    if pick < 0.7:
        return date(START + rng.randrange(-spread, spread) // MINUTE * MINUTE)
    if pick < 0.85:
        return rng.choice(NUMBER_TIMES)
    return rng.choice(ODD_DATES)


def maybe_fields(rng, *pairs, chance=0.75) -> Doc:
    """Each pair with that chance; values may be functions."""
    return Doc([(name, value() if callable(value) else value) for name, value in pairs if rng.random() < chance])


def character(rng):
    if rng.random() < 0.1:
        return rng.choice([None, "text", 5, [], UNDEFINED, Doc()])
    return maybe_fields(
        rng, ("description", lambda: rng.choice(["keeper", "", "the best"])), ("traits", lambda: rng.choice([["calm", "", 5], [], ["a"]])),
        ("relationships", lambda: [relationship(rng) for _ in range(rng.randrange(5))]), ("lastSeen", lambda: rng.choice([None, 2, 3.5, -0.0])),
        ("firstAppearance", lambda: rng.choice([1, long(2), 1.0])), ("_id", oid(1, 2)))


def location(rng):
    if rng.random() < 0.1:
        return rng.choice([None, "text", 5, [], UNDEFINED])
    return maybe_fields(rng, ("description", "wet"), ("firstMentioned", lambda: rng.choice([2, None, "2", long(7)])), ("significance", ""))


def story_part(rng) -> Doc:
    """A plot thread, a point of the timeline or a theme; now and then with what a reader cannot read."""
    part = maybe_fields(
        rng, ("_id", oid(3, 4)), ("title", lambda: prose(rng, 2)), ("name", lambda: rng.choice(["guilt", "the sea", "", "guilt"])),
        ("timestamp", lambda: rng.choice([date(START), date(YEAR_0 - 1), START])), ("importance", "major"),
        ("examples", lambda: rng.choice([["e"], [date(0)], KeyedArray([["5", date(1)], ["x", [date(2)]]])])),
        ("sub", lambda: Doc(_id=5, at=date(-1), list=[Doc(at=date(YEAR_9999 + 1), _id=6)])), chance=0.5)
    if rng.random() < 0.12:
        part.append([rng.choice(["note", "$note", "_id"]), rng.choice([regex(), code(), 1, symbol(), [[db_pointer()]], Doc([("a", Doc([("$b", 1)]))])])])
    return part


def alert(rng, ids: list) -> Doc:
    return maybe_fields(
        rng, ("id", lambda: rng.choice(ids)), ("severity", lambda: rng.choice(["info", "warning", "critical", "warning", "error", "", 5, None])),
        ("message", lambda: rng.choice(["Mara's eyes change colour.", "A different problem.", "", "Mara's eyes change colour."])),
        ("details", lambda: rng.choice(["grey, then green", "", "other"])), ("suggestion", "pick one"),
        ("context", lambda: maybe_fields(rng, ("chapter", lambda: rng.choice([2, 2.0, long(2), -0.0, 0, 1e21, 2.5, None, "2", 0.1 + 0.2])),
                                         ("character", "Mara"), ("plotThread", ""), chance=0.5)),
        ("timestamp", lambda: any_time(rng)), ("resolved", lambda: rng.choice([True, False, None, 1])),
        ("_id", lambda: rng.choice([oid(7, 8), oid(7, 9), 5])), chance=0.7)


def decision(rng, ids: list) -> Doc:
    return maybe_fields(
        rng, ("id", lambda: rng.choice(ids)), ("type", lambda: rng.choice(["plot-choice", "", "dialogue-style", 3])),
        ("summary", lambda: rng.choice(["Keep the storm.", ""])), ("reasoning", lambda: rng.choice(["tension", ""])),
        ("confidence", lambda: rng.choice([0.75, 1, 1.0, long(1), -0.0, float("nan")])),
        ("alternatives", lambda: rng.choice([[], ["a"], [Doc(option="o", _id=oid(1, 1), when=date(START))], [Doc(option=regex()), Doc([("$a", 1)]), None],
                                             [Doc([("_id", regex()), ("x", KeyedArray([["9", 1]])), ("_id", 2)])], Doc(), None])),
        ("impact", lambda: rng.choice(["chapter 2", ""])), ("timestamp", lambda: any_time(rng)),
        ("_id", lambda: rng.choice([oid(7, 8), oid(7, 9)])), chance=0.7)


def enhancement(rng, ids: list) -> Doc:
    return maybe_fields(
        rng, ("id", lambda: rng.choice(ids)), ("type", lambda: rng.choice(["dialogue", ""])), ("name", lambda: rng.choice(["Sharper talk", "", 5])),
        ("description", "shorter lines"), ("details", lambda: rng.choice(["chapters 1-2", ""])), ("timestamp", lambda: any_time(rng)),
        ("_id", lambda: rng.choice([oid(7, 8), oid(7, 9)])), chance=0.6)


IDS = ["1", "2", "1#2", "1#3", "1#2#2", "", "1753351200000", "legacy-1", "legacy-2", "legacy-000000070000000000000008", "é"]


def sometimes(rng, item, chance=0.07):
    """The item, or now and then an element that is no document."""
    return rng.choice([None, "x", 5, [], UNDEFINED]) if rng.random() < chance else item


def populated_metadata(rng) -> Doc:
    many = rng.random() < 0.05

    def count(usual, large):
        return rng.choice(large) if many else rng.randrange(usual)

    bible = maybe_fields(
        rng, ("characters", lambda: Doc([(name, character(rng)) for name in some_names(rng, rng.randrange(7))])),
        ("locations", lambda: Doc([(name, location(rng)) for name in some_names(rng, rng.randrange(5))])),
        ("plotThreads", lambda: [sometimes(rng, story_part(rng)) for _ in range(rng.randrange(4))]),
        ("timeline", lambda: [sometimes(rng, story_part(rng)) for _ in range(rng.randrange(4))]),
        ("themes", lambda: [rng.choice([story_part(rng), "guilt", "the sea", "", 5, None, Doc(name="the sea")]) for _ in range(rng.randrange(6))]),
        chance=0.85)
    return maybe_fields(
        rng, ("storyBible", bible),
        ("continuityAlerts", lambda: [sometimes(rng, alert(rng, IDS)) for _ in range(count(8, [99, 100, 101, 130]))]),
        ("aiDecisions", lambda: [sometimes(rng, decision(rng, IDS)) for _ in range(count(6, [49, 50, 51, 99, 100, 101]))]),
        ("enhancementsApplied", lambda: [sometimes(rng, enhancement(rng, IDS)) for _ in range(count(5, [49, 50, 51]))]),
        ("enhancedQualityMetrics", lambda: maybe_fields(
            rng, ("humanLikenessScore", lambda: rng.choice([0, -0.0, 0.75, float("nan"), "1"])), ("complexityScore", lambda: rng.choice([0, 0.5, long(0)])),
            ("group", Doc(score=5)), ("$x", 1), chance=0.4)),
        ("costTracking", lambda: maybe_fields(
            rng, ("totalCost", lambda: rng.choice([0, 1.5, 0.0376, 0.0325, 0.035, -1, 1e308])), ("tokensUsed", lambda: rng.choice([0, 9000, long(2**53 + 1)])),
            ("estimatedRemaining", lambda: rng.choice([0, 0.25, -0.0, -3])),
            ("breakdown", lambda: maybe_fields(rng, ("analysis", 0.01), ("outline", lambda: rng.choice([0.02, -0.0])), ("chapters", lambda: rng.choice([0.3, -0.0, 0])))))),
        ("performance", lambda: maybe_fields(
            rng, ("totalRequests", lambda: rng.choice([0, 12, -1, -0.0])), ("errorCount", lambda: rng.choice([0, 1, float("inf")])),
            ("averageResponseTime", lambda: rng.choice([812.5, 0, -0.0])), ("lastHealthCheck", lambda: any_time(rng)))),
        ("currentStep", lambda: rng.choice(["drafting", "", 5])), ("estimatedTimeRemaining", lambda: rng.choice([60000, 0, 1e21])),
        ("phaseStartTimes", lambda: Doc([(rng.choice(["premise_analysis", "outline_generation", "", "$x", "a.b", "chapter_writing"]),
                                          rng.choice([any_time(rng), None, UNDEFINED])) for _ in range(rng.randrange(5))])),
        chance=0.8)


# --- mutation ----------------------------------------------------------------------------------------------

KNOWN_NAMES = """_id status currentPhase premise title genre subgenre targetWordCount targetChapters humanLikeWriting createdAt updatedAt
completedAt analysis qualityMetrics error outline chapters modelUsage progress metadata message phase timestamp chapterNumber wordTarget
summary keyEvents humanLikeElements characterFocus plotAdvancement genreElements wordCount attempts qualityScore content failureReason
lastAttemptAt generatedAt tokensUsed cost premiseAnalysis outlineGeneration chapterGeneration model duration outlineComplete hasFailures
chaptersCompleted chaptersFailed totalChapters failedChapterNumbers estimatedCompletion lastActivity failedAt storyBible characters locations
plotThreads timeline themes description traits relationships firstAppearance lastSeen significance firstMentioned name continuityAlerts id
details suggestion context chapter character plotThread resolved severity aiDecisions type reasoning impact confidence alternatives
enhancementsApplied enhancedQualityMetrics costTracking totalCost estimatedRemaining breakdown performance averageResponseTime totalRequests
errorCount lastHealthCheck currentStep estimatedTimeRemaining phaseStartTimes enhanced __v""".split()
ODD_NAMES = ["", "$", "$x", "a.b", "_id", "x" * 100, "é", "0", "1", "\uffff", "\U0001f600", "$$", "a$"]


def mutate(rng, tree: Doc, times: int, keep=("_id",)):
    """Change a document at random places: values of other types, null before and after, repeats, order."""
    for _ in range(times):
        found = places(tree)
        container, index = rng.choice(found)
        if container is tree and rng.random() < 0.9 and tree[index][0] in keep:
            continue
        keyed = isinstance(container, (Doc, KeyedArray))
        name = container[index][0] if keyed else None
        act = rng.random()
        if act < 0.5:
            value = odd_scalar(rng)
            container[index] = [name, value] if keyed else value
        elif act < 0.58:
            value = rng.choice([None, UNDEFINED])
            container[index] = [name, value] if keyed else value
        elif act < 0.68:
            container.insert(index, [name, odd_scalar(rng)] if keyed else odd_scalar(rng))
        elif act < 0.76:
            container.append([name, odd_scalar(rng)] if keyed else odd_scalar(rng))
        elif act < 0.82:
            container.insert(index, copy_tree(container[index]))
        elif act < 0.87:
            del container[index]
        elif act < 0.92:
            rng.shuffle(container)
        elif act < 0.96 and keyed:
            container[index] = [rng.choice(KNOWN_NAMES + ODD_NAMES), container[index][1]]
        elif keyed:
            container.insert(index, [rng.choice(KNOWN_NAMES + ODD_NAMES), odd_scalar(rng)])


def foreign_fields(rng, novel: Doc):
    """Fields that only a foreign writer set."""
    if rng.random() < 0.4:
        novel.set("error", rng.choice([
            "out of memory", "", 5, None, Doc(message="m", phase="error", timestamp=any_time(rng)), Doc(message="", phase="completed"),
            Doc(phase="", timestamp=rng.choice(NUMBER_TIMES)), Doc(message=5, phase=None, timestamp=rng.choice(ODD_DATES)), Doc(), []]))
    if rng.random() < 0.3:
        novel.set("analysis", rng.choice([Doc(tone="dark"), Doc(), None, "x", [1], Doc(a=[Doc([("$x", 1)])]), Doc(n=[DECIMAL_FOUR, MIN_KEY, -0.0])]))
    if rng.random() < 0.3 and isinstance(novel.get("modelUsage"), Doc):
        novel.get("modelUsage").set("premiseAnalysis", rng.choice([
            Doc(model="gpt-4", tokensUsed=900, cost=0.027, duration=3000), Doc(model="", cost=-1, tokensUsed=float("nan")), None, 5]))
    if rng.random() < 0.3 and isinstance(novel.get("progress"), Doc):
        novel.get("progress").set("failedAt", any_time(rng))
        novel.get("progress").set("recoveryAttempts", [Doc(at=date(START))])
    if rng.random() < 0.3:
        novel.set("qualityMetrics", rng.choice([
            Doc(totalWordCount=5, enhanced=None), Doc(), Doc(enhanced=Doc(a=1)), Doc(note=regex()), Doc([("a", 1), ("a", 2)]), [], None]))
    if rng.random() < 0.4:
        novel.set("status", rng.choice(LEGACY_STATUSES + ["paused", "Completed", "", 5, None, UNDEFINED, symbol("completed")]))
    if rng.random() < 0.2:
        novel.set("_id", rng.choice([
            *(f"legacy-job-{rng.getrandbits(32)}{end}" for end in ("", "/x", "\n.", "é")), rng.randrange(100), long(5), None, UNDEFINED, f"é{rng.getrandbits(40)}", Doc(a=1),
            f" {rng.getrandbits(16)}", f"{rng.getrandbits(16)}\u3000", oid(0, rng.getrandbits(60)), oid(0xFFFFFFFF, rng.getrandbits(60)),
            bson.binary(b"0123456789ab"), symbol("id"), oid(1 << 31, rng.getrandbits(60)).payload.hex()]))
    if rng.random() < 0.3:
        novel.set(rng.choice(["createdAt", "updatedAt", "completedAt"]), rng.choice(ODD_DATES + [None, START, "2025"]))
    for chapter in novel.get("chapters") if isinstance(novel.get("chapters"), list) else []:
        if isinstance(chapter, Doc) and rng.random() < 0.1:
            chapter.set(rng.choice(["wordCount", "cost", "tokensUsed", "chapterNumber", "attempts", "qualityScore"]), rng.choice(ODD_NUMBERS + BAD_NUMBERS))


def random_tree(rng, levels: int):
    """Random BSON under known and unknown names."""
    if levels == 0 or rng.random() < 0.5:
        return odd_scalar(rng)
    names = [rng.choice(KNOWN_NAMES if rng.random() < 0.8 else ODD_NAMES) for _ in range(rng.randrange(7))]
    if rng.random() < 0.6:
        return Doc([(name, random_tree(rng, levels - 1)) for name in names])
    if rng.random() < 0.2:
        return KeyedArray([name, random_tree(rng, levels - 1)] for name in names)
    return [random_tree(rng, levels - 1) for _ in names]


def nest(rng, levels: int, innermost=1) -> Value:
    """A value that nests this deep, of documents, arrays and scopes of code."""
    kinds = rng.choice([["doc"], ["array"], ["doc", "array"], ["doc", "array", "scope"], ["scope"]])
    value = to_value(innermost)
    for _ in range(levels):
        kind = rng.choice(kinds)
        if kind == "doc":
            value = to_value(Doc(a=value))
        elif kind == "array":
            value = to_value([value])
        else:
            value = code_with_scope(Doc(s=value))
            # the scope is the one level that this value adds
    return value


def junk(rng, novels: Novels) -> bytes:
    pick = rng.random()
    if pick < 0.35:
        names = rng.sample(KNOWN_NAMES, 12) + [rng.choice(ODD_NAMES) for _ in range(3)]
        tree = Doc([(name, random_tree(rng, 4)) for name in names])
        tree.drop("_id")
        tree.insert(rng.randrange(len(tree) + 1), ["_id", novels.next_id()])
        if rng.random() < 0.7:
            tree.insert(rng.randrange(len(tree) + 1), ["status", rng.choice(LEGACY_STATUSES)])
        return encode(tree)
    tree = rng.choice([novels.any_stage, novels.finished])()
    if rng.random() < 0.6:
        tree.set("metadata", populated_metadata(rng))
    if pick < 0.75:
        mutate(rng, tree, rng.randrange(5, 40))
        return encode(tree)
    if pick < 0.85:
        place = rng.choice(["analysis", "unknown", "modelUsage", "qualityMetrics", "timeline", "outline", "alternatives", "enhanced"])
        levels = rng.choice([90, 94, 95, 96, 97, 98, 99, 100, 101, 150, 1000])
        value = nest(rng, levels, rng.choice([1, Doc(), []]))
        if rng.random() < 0.5:
            value = to_value(Doc(x=value))
        if place == "timeline":
            tree.set("metadata", Doc(storyBible=Doc(timeline=[Doc(x=value)])))
        elif place == "alternatives":
            tree.set("metadata", Doc(aiDecisions=[Doc(alternatives=[Doc(x=value)])]))
        elif place == "enhanced":
            tree.set("metadata", Doc(enhancedQualityMetrics=Doc(a=1, x=value)))
        elif place == "outline":
            tree.set("outline", [Doc([(rng.choice(["characterFocus", "plotAdvancement", "humanLikeElements"]), value)])])
        else:
            tree.set(place, value)
        return encode(tree)
    mutate(rng, tree, rng.randrange(3))
    return corrupt(rng, encode(tree), rng.choice([1, 1, 2, 5]))


def corrupt(rng, data: bytes, times: int) -> bytes:
    """Other bytes at random places; the outer length stays right."""
    data = bytearray(data)
    for _ in range(times):
        at = rng.randrange(4, len(data))
        data[at] = rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF, data[at] ^ 1 << rng.randrange(8), rng.randrange(256)])
    return bytes(data)


# --- edges -------------------------------------------------------------------------------------------------

def small(novels: Novels, status="completed", **fields) -> Doc:
    """A small document with an id of its own."""
    tree = Doc(_id=novels.next_id(), status=status, createdAt=date(START))
    for name, value in fields.items():
        tree.set(name, value)
    return tree


def done_chapter(number, at=START + MINUTE, **fields) -> Doc:
    tree = Doc(chapterNumber=number, title="t", content="x", wordCount=4, status="completed", generatedAt=date(at))
    for name, value in fields.items():
        tree.set(name, value)
    return tree


def id_edges(rng, novels):
    for text in ["", "a", "a" * 127, "a" * 128, "a" * 129, "é" * 64, "é" * 64 + "a", "é" * 63 + "ab", "\0", "a\0b", "\x1c", "\x1da\x1f", "\u200b",
                 "\u180e", "\u2060x", "x\ufffe", "a b", "0" * 24, "688204200000000000000001"]:
        yield small(novels, _id=text)
    for space in ["\t", "\n", "\x0b", "\x0c", "\r", " ", "\x85", "\xa0", "\u1680", *(chr(n) for n in range(0x2000, 0x200D)), "\u2028", "\u2029",
                  "\u202f", "\u205f", "\u3000", "\ufeff", "\x1c", "\x1d", "\x1e", "\x1f", "\u180e", "\u2060"]:
        yield small(novels, _id=f"{space}id{ord(space):x}")
        yield small(novels, _id=f"id{ord(space):x}{space}")
        yield small(novels, _id=f"id{space}in{ord(space):x}")
    for odd in [None, UNDEFINED, 5, 5.0, long(5), True, [], Doc(), bson.binary(b"x"), date(0), regex(), symbol("s"), DECIMAL_FOUR, MIN_KEY]:
        yield small(novels, _id=odd)
        yield small(novels, status="paused", _id=odd)
    without = small(novels)
    without.drop("_id")
    yield without
    yield Doc()
    yield Doc([("_ID", 5), ("status", "completed")])
    yield Doc([("status", "completed"), ("_id", None), ("_id", novels.next_id())])
    yield Doc([("_id", novels.next_id()), ("status", "completed"), ("_id", 5)])
    yield Doc([("_id", 5), ("status", "completed"), ("_id", novels.next_id())])
    # repeated job ids: an ObjectId and its hex, after a reject, after one in flight
    same = novels.next_id()
    for status in ["paused", "writing", "completed", "failed", "paused", "writing"]:
        yield small(novels, status=status, _id=same)
        yield small(novels, status=status, _id=same.payload.hex())
        yield small(novels, status=status, _id=same.payload.hex().upper())


def time_edges(rng, novels):
    for value in ODD_DATES:
        yield small(novels, createdAt=value)
        yield small(novels, createdAt=None, updatedAt=value)
        yield small(novels, createdAt=value, status="failed", updatedAt=date(START), metadata=Doc(aiDecisions=[Doc(timestamp=value)] * 3))
        yield small(novels, completedAt=value, progress=Doc(lastActivity=date(START + 5), estimatedCompletion=value))
        yield small(novels, metadata=Doc(phaseStartTimes=Doc([("a", value), ("a", date(START + 7)), ("b", value)]), performance=Doc(lastHealthCheck=value)))
        yield small(novels, chapters=[done_chapter(1, generatedAt=value), Doc(status="failed", lastAttemptAt=value), Doc(status="generating", lastAttemptAt=value)])
        yield Doc(_id=f"no-object-id-{novels.next_id().payload.hex()}", status="failed", createdAt=UNDEFINED, updatedAt=value)
        yield small(novels, status="failed", progress=Doc(lastActivity=value), updatedAt=date(START + 9), completedAt=rng.choice([None, value, 5]))
    for value in NUMBER_TIMES:
        yield small(novels, status="failed", error=Doc(timestamp=value), metadata=Doc(
            continuityAlerts=[Doc(timestamp=value)], aiDecisions=[Doc(timestamp=value)], enhancementsApplied=[Doc(timestamp=value)]))
        yield small(novels, createdAt=value, completedAt=value, metadata=Doc(performance=Doc(lastHealthCheck=value), phaseStartTimes=Doc(x=value)))
    for start in [YEAR_9999 - back for back in (0, 1, 2, 3, 4, 5, 10, 49, 60, 1000)]:
        chapters = [done_chapter(n, at=start, cost=0.5) for n in range(1, 6)]
        yield small(novels, createdAt=date(start), chapters=chapters)
        yield small(novels, status="failed", createdAt=date(START), updatedAt=date(start), chapters=chapters)
        yield small(novels, createdAt=date(YEAR_9999), metadata=Doc(aiDecisions=[Doc(id=str(n), timestamp=date(start)) for n in range(60)]))
    early = [Doc(id=str(n), timestamp=date(START - back)) for n, back in enumerate((5, 9, 1, 9, 0, -3))]
    yield small(novels, metadata=Doc(aiDecisions=early, enhancementsApplied=early))
    yield small(novels, chapters=[done_chapter(n, at=START - back) for n, back in enumerate((5, 9, 1, 9, 0, -3))])
    for seconds in [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]:
        yield Doc(_id=oid(seconds, novels.count * 7919 + seconds), status="writing", outline=[Doc(_id=oid(seconds, 1))])
        yield small(novels, outline=[5, Doc(_id=oid(seconds, 1)), Doc(_id=oid(0, 1))])
    yield small(novels, outline=[Doc([("_id", None), ("_id", oid(1, 1))]), Doc(_id=oid(2, 2))])
    yield small(novels, createdAt=date(YEAR_0), updatedAt=date(YEAR_0), status="writing", outline=[Doc(wordTarget=1)])
    yield small(novels, createdAt=date(-1001), updatedAt=date(-999), chapters=[done_chapter(1, at=-500), done_chapter(2, at=1)])


def number_edges(rng, novels):
    for value in ODD_NUMBERS + BAD_NUMBERS:
        chapters = [done_chapter(value, wordCount=value, attempts=value, qualityScore=value, tokensUsed=value, cost=value),
                    Doc(chapterNumber=value, status="failed", attempts=value), Doc(chapterNumber=value, status="generating")]
        yield small(novels, status="failed", targetWordCount=value, targetChapters=value, chapters=chapters,
                    progress=Doc(totalChapters=value, chaptersCompleted=value, chaptersFailed=value, failedChapterNumbers=[value, 1, value]),
                    outline=rng.choice([[], [Doc(chapterNumber=value, wordTarget=value)]]))
        yield small(novels, targetChapters=value, chapters=[Doc(status="failed", chapterNumber=value), done_chapter(value)])
        yield small(novels, status="writing", chapters=[done_chapter(1, cost=value, tokensUsed=value), done_chapter(2, cost=0.25, tokensUsed=value)], modelUsage=Doc(
            premiseAnalysis=Doc(cost=value, tokensUsed=value, duration=value), outlineGeneration=Doc(cost=0.1, tokensUsed=3, duration=value),
            chapterGeneration=Doc(cost=value, tokensUsed=value, duration=value)), metadata=Doc(
            costTracking=Doc(totalCost=value, tokensUsed=value, estimatedRemaining=value, breakdown=Doc(analysis=value, outline=value, chapters=value))))
        yield small(novels, metadata=Doc(costTracking=Doc(totalCost=value, breakdown=Doc(analysis=0.1, outline=value, chapters=0.2))))
        yield small(novels, metadata=Doc(
            continuityAlerts=[Doc(id="q", context=Doc(chapter=value)), Doc(id="q", context=Doc(chapter=0)), Doc(id="q", context=Doc(chapter=value))],
            aiDecisions=[Doc(confidence=value)], performance=Doc(averageResponseTime=value, totalRequests=value, errorCount=value),
            estimatedTimeRemaining=value, enhancedQualityMetrics=Doc(a=value), storyBible=Doc(
                characters=Doc(a=Doc(firstAppearance=value, lastSeen=value)), locations=Doc(a=Doc(firstMentioned=value)))))
    biggest = 1.7976931348623157e308
    for costs in [[biggest, biggest], [biggest, biggest, 1], [1e308] * 3, [0.1] * 10, [0.1, 0.2, 0.3], [biggest, 1e291], [5e-324] * 3, [-0.0, -0.0]]:
        chapters = [done_chapter(n, cost=cost, tokensUsed=cost, wordCount=cost) for n, cost in enumerate(costs)]
        yield small(novels, chapters=chapters)
        yield small(novels, chapters=chapters, modelUsage=Doc(
            premiseAnalysis=Doc(cost=biggest, duration=biggest), outlineGeneration=Doc(cost=biggest, duration=biggest), chapterGeneration=Doc(cost=biggest)))
        yield small(novels, chapters=[done_chapter(n, wordCount=-cost) for n, cost in enumerate(costs + [biggest])])
    for total in [0.105, 0.105000001, 0.1049999, 0.095, 0.0949999999, 0.1, 0.10500000000000001, 0.09500000000000001]:
        yield small(novels, chapters=[done_chapter(1, cost=0.1)], metadata=Doc(costTracking=Doc(totalCost=total)))


def count_edges(rng, novels):
    for count in [49, 50, 51, 99, 100, 101, 120]:
        yield small(novels, chapters=[done_chapter(n) for n in range(1, count + 1)])
        yield small(novels, chapters=[done_chapter(1, cost=0.1, tokensUsed=5) for n in range(count)], outline=[Doc(chapterNumber=1)])
        yield small(novels, metadata=Doc(aiDecisions=[Doc(id="d", timestamp=date(START + n % 7)) for n in range(count)]))
        yield small(novels, metadata=Doc(aiDecisions=[rng.choice([Doc(), None]) for n in range(count)], enhancementsApplied=[Doc(id="e")] * count))
        yield small(novels, metadata=Doc(continuityAlerts=[Doc(id="a", message=str(n)) for n in range(count)]))
        yield small(novels, metadata=Doc(continuityAlerts=[Doc(id="a", message=str(n % 40), timestamp=date(START - n)) for n in range(count)] + [None] * 5))
        yield small(novels, metadata=Doc(continuityAlerts=[Doc(id=str(n % 60), severity="x") for n in range(count)]))
    yield small(novels, chapters=[done_chapter(n) for n in (1, 1.0, long(1), -0.0, 0, 2**53, long(2**53 + 1), "1", None)])
    yield small(novels, outline=[Doc(chapterNumber=n) for n in (1, long(1), -0.0, "x")], chapters=[done_chapter(n) for n in (1.0, 0, 4)], status="failed")
    yield small(novels, progress=Doc(failedChapterNumbers=[-0.0]), chapters=[Doc(status="failed", chapterNumber=0), done_chapter(5)])
    yield small(novels, progress=Doc(failedChapterNumbers=[1, 1, None, "x", float("nan")], hasFailures=False), chapters=[Doc(status="failed"), done_chapter(5)])
    yield small(novels, progress=Doc(failedChapterNumbers=5, hasFailures=0, chaptersCompleted=-1, chaptersFailed="0"), chapters=[Doc(status="failed")])


def key_edges(rng, novels):
    families = [
        ["a.b", "a\uff0eb", "a\uff0eb#2"], ["a\uff0eb#2", "a.b", "a\uff0eb", "a.b"], ["", "_"], ["_", "", "_#2", ""], ["$a", "\uff04a", "$a"],
        ["$", "\uff04", "."], ["x", "x", "x"], ["Ann", "Anna", "Ann"], ["$a.b", "\uff04a\uff0eb"], ["a$b"], ["\uffff", "\U00010000", "\ue000"],
        ["b", "a", "B", "A"], ["#2", "#2#2", "#2"],
    ]
    for names in families:
        relationships = ["with " + name for name in names] + ["".join(names), "", "AnnAnna", "_", "a"]
        characters = Doc([(name, rng.choice([Doc(relationships=relationships), Doc(relationships=relationships), None])) for name in names])
        yield small(novels, metadata=Doc(storyBible=Doc(characters=characters, locations=Doc([(name, Doc(description=name)) for name in names]))))
        phases = Doc([(name, date(START + n)) for n, name in enumerate(names)])
        yield small(novels, metadata=Doc(phaseStartTimes=phases, enhancedQualityMetrics=Doc([(name, n) for n, name in enumerate(names)])))
        yield small(novels, analysis=Doc([(name, 1) for name in names]), qualityMetrics=Doc([(name, 1) for name in names]))


def repeat_edges(rng, novels):
    """Every known top-level field twice: null first, wrong type first, right type first."""
    base = novels.any_stage()
    base.set("metadata", populated_metadata(rng))
    for name in [pair[0] for pair in base]:
        for odd in (None, UNDEFINED, 5, "x", Doc(), []):
            for before in (True, False):
                tree = copy_tree(base)
                tree.set("_id", novels.next_id())
                index = next(n for n, pair in enumerate(tree) if pair[0] == name)
                tree.insert(index if before else index + 1, [name, odd])
                yield tree
    yield small(novels, qualityMetrics=Doc([("enhanced", 1), ("enhanced", 2)]), metadata=Doc(enhancedQualityMetrics=Doc(a=1)))
    yield small(novels, qualityMetrics=Doc(a=1), metadata=Doc(enhancedQualityMetrics=Doc([("a", 0), ("a", 1)])))
    yield small(novels, metadata=Doc(storyBible=Doc(plotThreads=[Doc([("_id", 1), ("t", 2), ("_id", regex()), ("t", 3)])])))
    yield small(novels, metadata=Doc(aiDecisions=[Doc(alternatives=[Doc([("_id", 1), ("_id", symbol()), ("$x", 3)]), Doc([("_id", code())])])]))
    yield small(novels, metadata=Doc(aiDecisions=[Doc([("id", None), ("id", "second")]), Doc([("id", 5), ("id", "second")])]))
    yield small(novels, metadata=Doc(storyBible=Doc(characters=Doc([("a", 5), ("a", Doc(description=5)), ("a", None)]))))


# Binaries of subtype 2: the first two hold the right inner length, the others a wrong one or none.
OLD_BINARIES = [bson.binary(content, 2) for content in [
    struct.pack("<i", 0), struct.pack("<i", 3) + b"abc", struct.pack("<i", 2) + b"abc", struct.pack("<i", 4) + b"abc",
    struct.pack("<i", 7) + b"abc", struct.pack("<i", -4) + b"abc", struct.pack("<i", -1), b"", b"abc"]]


def unreadable_edges(rng, novels):
    for bad in [regex(), code(), code_with_scope(Doc()), symbol(), db_pointer(), Doc([("$", 1)]), [Doc([("$a", None)])], KeyedArray([["$a", 1]]),
                KeyedArray([["$a", regex()]]), code_with_scope(Doc([("$x", 1)])), *OLD_BINARIES, MIN_KEY, MAX_KEY, UNDEFINED, Value(bson.TIMESTAMP, bytes(8)), DECIMAL_FOUR]:
        yield small(novels, analysis=Doc(x=bad), modelUsage=Doc(x=bad, chapterGeneration=Doc(model="m", cost=1.5)), qualityMetrics=Doc(x=bad),
                    chapters=[done_chapter(1)], metadata=Doc(enhancedQualityMetrics=Doc(a=1, x=bad)))
        yield small(novels, outline=[Doc(humanLikeElements=bad, characterFocus=bad, plotAdvancement=bad, genreElements=bad)])
        yield small(novels, outline=[Doc(humanLikeElements=Doc(x=bad), characterFocus=[bad], plotAdvancement=Doc(x=bad), genreElements=[[bad]])])
        yield small(novels, metadata=Doc(storyBible=Doc(plotThreads=[bad, Doc(x=bad)], timeline=[Doc(x=[bad]), Doc(_id=bad)], themes=[bad, Doc(name="n", x=bad)])))
        yield small(novels, metadata=Doc(aiDecisions=[Doc(alternatives=[bad, Doc(x=bad), Doc(_id=bad)]), Doc(alternatives=bad)]))
        yield small(novels, qualityMetrics=Doc(enhanced=bad), metadata=Doc(enhancedQualityMetrics=Doc(a=1, x=bad)), unknown=bad, error=Doc(x=bad))
        yield small(novels, analysis=bad, modelUsage=bad, qualityMetrics=bad, metadata=Doc(enhancedQualityMetrics=bad))
        yield small(novels, metadata=Doc(continuityAlerts=[Doc(context=Doc(x=bad), severity=bad, id=bad, _id=bad)], phaseStartTimes=Doc(a=bad)))


def depth_edges(rng, novels):
    def chain(levels, kind):
        value = to_value(1)
        for _ in range(levels):
            value = {"doc": lambda v: to_value(Doc(a=v)), "array": lambda v: to_value([v]), "scope": lambda v: code_with_scope(Doc(a=v))}[kind](value)
        return value

    for kind in ("doc", "array", "scope"):
        for levels in (96, 97, 98, 99, 100, 3000):
            yield small(novels, unknown=chain(levels, kind))
            yield small(novels, status="paused", _id=5, unknown=chain(levels, kind))
            yield small(novels, analysis=Doc(x=chain(levels - 1, kind)))
            yield small(novels, status="writing", analysis=Doc(x=chain(levels - 2, kind)))
            yield small(novels, status="paused", _id=None, analysis=Doc(x=chain(levels - 2, kind)))
            yield small(novels, modelUsage=Doc(x=chain(levels - 1, kind)), qualityMetrics=Doc(x=chain(levels - 1, kind)))
            yield small(novels, outline=[Doc(plotAdvancement=chain(levels - 2, kind))])
            yield small(novels, metadata=Doc(enhancedQualityMetrics=Doc(a=1, x=chain(levels - 2, kind))))
            yield small(novels, metadata=Doc(storyBible=Doc(timeline=[Doc(x=chain(levels - 4, kind))])))
            yield small(novels, metadata=Doc(aiDecisions=[Doc(alternatives=[Doc(x=chain(levels - 4, kind))])]))
        both = chain(99, kind)
        yield small(novels, unknown=both, analysis=Doc(x=regex()))


def status_edges(rng, novels):
    statuses = LEGACY_STATUSES + ["paused", "", "COMPLETED", None, UNDEFINED, 5, [], symbol("completed")]
    shapes = [[], ["completed"], ["failed"], ["pending"], ["generating"], ["completed", "failed"], ["failed", "generating"], ["failed", "pending"],
              ["completed", "odd"], ["odd"], [None], [5]]
    for status in statuses:
        for shape in shapes:
            chapters = [Doc(chapterNumber=n, status=found, content=rng.choice(["text", "", None, 5]), lastAttemptAt=rng.choice([date(START + n), None]))
                        for n, found in enumerate(shape, 1)]
            outline = rng.choice([[], [], [Doc(chapterNumber=1)], [Doc(), Doc()], [Doc(), Doc(), Doc()], [None]])
            yield small(novels, status=status, chapters=chapters, outline=outline, currentPhase=rng.choice(["completed", "chapter_writing", "", 5, None]),
                        error=rng.choice([None, "e", Doc(phase="completed"), Doc(phase="", message="m"), Doc(phase="p")]), updatedAt=rng.choice([date(START + 99), None]))


def malformed_edges(rng, novels):
    """Hand-made damage; every outer length is right.  Bytes, not trees."""
    def with_raw(kind: int, payload: bytes, name=b"bad"):
        body = encode(small(novels))[4:-1] + bytes([kind]) + name + b"\0" + payload
        return struct.pack("<i", len(body) + 5) + body + b"\0"

    def bad_string(length: int, text: bytes, end=b"\0"):
        return struct.pack("<i", length) + text + end

    def document_bytes(length_change=0, body=b"", end=b"\0"):
        return struct.pack("<i", len(body) + 5 + length_change) + body + end

    for kind in (0x00, 0x14, 0x15, 0x20, 0x7E, 0x80, 0xFE):
        yield with_raw(kind, b"")
        yield with_raw(kind, b"\1\0\0\0\0")
    for byte in (0, 1, 2, 0x80, 0xFF):
        yield with_raw(bson.BOOLEAN, bytes([byte]))
    for kind in (bson.STRING, bson.CODE, bson.SYMBOL):
        for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xe2\x82", "é".encode(), b"a\0b", b"", b"\xef\xbf\xbf", b"\xf0\x9f\x93\x95"):
            yield with_raw(kind, bad_string(len(text) + 1, text))
        for length in (0, -1, 1, 2, 3, 4, 1000, 2**31 - 1, -2**31):
            yield with_raw(kind, bad_string(length, b"ab"))
        yield with_raw(kind, bad_string(3, b"ab", b"x"))
    for text in (b"\xff", b"ok", "é".encode()):
        yield with_raw(bson.DB_POINTER, bad_string(len(text) + 1, text) + bytes(12))
        yield with_raw(bson.REGEX, text + b"\0i\0")
        yield with_raw(bson.REGEX, b"a\0" + text + b"\0")
        yield with_raw(bson.INT32, bytes(4), name=text)
        yield with_raw(bson.DOCUMENT, document_bytes(body=b"\x0a" + text + b"\0"))
        yield with_raw(bson.ARRAY, document_bytes(body=b"\x0a" + text + b"\0"))
        yield with_raw(bson.BINARY, struct.pack("<iB", len(text), 2) + text)
    yield with_raw(bson.DB_POINTER, bad_string(3, b"ab") + bytes(11))
    yield with_raw(bson.REGEX, b"a\0i")
    for kind in (bson.DOCUMENT, bson.ARRAY):
        for change in (-5, -4, -1, 0, 1, 2, 5, -100, 10**6):
            yield with_raw(kind, document_bytes(change, b"\x0aa\0\x0ab\0"))
        yield with_raw(kind, document_bytes(end=b"\1"))
        yield with_raw(kind, document_bytes(body=b"\0"))
        yield with_raw(kind, document_bytes(body=b"\x0aa"))
        yield with_raw(kind, document_bytes(body=b"\x10a\0\1\0\0"))
        yield with_raw(kind, document_bytes(body=b"\x10a\0\1\0\0\0"))
        yield with_raw(kind, document_bytes(body=b"\x08a\0\2"))
        yield with_raw(kind, b"\5\0\0")
    for length in (-1, 0, 2, 3, 4, 2**31 - 1):
        yield with_raw(bson.BINARY, struct.pack("<iB", length, 0) + b"abc")
        yield with_raw(bson.BINARY, struct.pack("<iB", length, 2) + b"abc")
    scope = document_bytes(body=b"\x0aa\0")
    inner = bad_string(3, b"ab") + scope
    for change in (-4, -1, 0, 1, 4):
        yield with_raw(bson.CODE_WITH_SCOPE, struct.pack("<i", len(inner) + 4 + change) + inner)
    yield with_raw(bson.CODE_WITH_SCOPE, struct.pack("<i", 14) + bad_string(1, b"") + document_bytes())
    yield with_raw(bson.CODE_WITH_SCOPE, struct.pack("<i", 15) + bad_string(2, b"\xff") + document_bytes())
    yield with_raw(bson.CODE_WITH_SCOPE, struct.pack("<i", len(inner) + 6) + inner + b"\0\0")
    yield with_raw(bson.CODE_WITH_SCOPE, struct.pack("<i", 18) + bad_string(1, b"") + document_bytes(body=b"\x08\0\2", length_change=1))
    for kind, size in bson.FIXED_SIZES.items():
        yield with_raw(kind, bytes(size))
        yield with_raw(kind, bytes(size + 1))
        if size:
            yield with_raw(kind, bytes(size - 1))
            yield with_raw(kind, b"\1" * (size - 1))
    good = encode(small(novels))
    yield good[:-1] + b"\1"
    yield struct.pack("<i", len(good) + 1) + good[4:] + b"\0"
    yield struct.pack("<i", len(good) + 3) + good[4:-1] + b"\0\0\0\0"
    yield struct.pack("<i", 5) + b"\0"
    yield struct.pack("<i", 5) + b"\1"
    yield struct.pack("<i", 6) + b"\0\0"
    yield struct.pack("<i", 7) + b"\x0a\0\0"
    yield struct.pack("<i", 8) + b"\x0aa\0\0"
    # damage under a depth that is too great, and in an otherwise bad document
    deep = nest(random.Random(1), 200, 1).payload
    yield with_raw(bson.ARRAY, deep)
    yield with_raw(bson.ARRAY, deep + bytes([bson.BOOLEAN]) + b"b\0\2")
    for innermost in (b"\x08b\0\2", b"\x02s\0\2\0\0\0\xff\0", b"\x14x\0", b"\x08b\0\1"):
        wrapped = document_bytes(body=innermost)
        for _ in range(150):
            wrapped = document_bytes(body=b"\x03d\0" + wrapped)
        yield with_raw(bson.DOCUMENT, wrapped)
    yield encode(Doc(_id=5, status="paused"))[:-1] + b"\1"


EDGES = [id_edges, time_edges, number_edges, count_edges, key_edges, repeat_edges, unreadable_edges, depth_edges, status_edges, malformed_edges]


def edges(rng, novels: Novels, count: int) -> list:
    """All hand-made edges, in an order of their own family, then corrupted and mutated ones up to `count`."""
    documents = [edge if isinstance(edge, bytes) else encode(edge) for family in EDGES for edge in family(rng, novels)]
    clean = [edge for edge in documents if len(edge) < 5000 and edge[4:9] == b"\x07_id\0"]
    while len(documents) < count:
        base = rng.choice(clean)
        fresh = base[:9] + novels.next_id().payload + base[21:]  # else it would be a duplicate
        documents.append(corrupt(rng, fresh, rng.choice([1, 1, 1, 2, 4])))
    return documents


def large(novels: Novels) -> list:
    """Jobs of exactly the greatest size, and one byte more (`target-too-large`)."""
    documents = []
    for excess in (0, 1):
        tree = small(novels, premise="p", currentPhase="")
        size = len(oracle.map_document(encode(tree)).job)
        more = oracle.TARGET_BYTES_MAX + excess - size
        tree.set("premise", "p" * (1 + more // 2))  # the premise stands in the job twice
        tree.set("currentPhase", "c" * (more % 2))  # the phase once
        assert len(oracle.map_document(encode(tree)).job) == oracle.TARGET_BYTES_MAX + excess
        documents.append(encode(tree))
    return documents


# --- the six corpora -----------------------------------------------------------------------------------------

def make_corpus(name: str, seed: int, count: int, with_large: bool) -> list:
    """The documents of a corpus, as bytes."""
    rng = random.Random(f"{seed}/{name}")
    novels = Novels(rng)
    if name == "standard":
        return [encode(novels.finished()) for _ in range(count)]
    if name == "lifecycle":
        return [encode(novels.any_stage()) for _ in range(count)]
    if name == "junk":
        return [junk(rng, novels) for _ in range(count)]
    if name == "edges":
        return edges(rng, novels, count) + (large(novels) if with_large else [])
    documents = []
    for _ in range(count):
        tree = rng.choice([novels.any_stage, novels.finished])()
        if name == "populated" or rng.random() < 0.4:
            tree.set("metadata", populated_metadata(rng))
        if name == "foreign":
            foreign_fields(rng, tree)
            mutate(rng, tree, rng.randrange(8))
        documents.append(encode(tree))
    return documents


CORPORA = ["standard", "lifecycle", "populated", "foreign", "junk", "edges"]


def json_line(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def write_option_set(folder: Path, options: dict, documents: list) -> dict:
    """Map a corpus with these options and write what the oracle says."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"read": 0, "mapped": 0, "skipped": 0, "rejects": {}, "events": 0, "warnings": {}}
    collections = ("novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata")
    files = {name: open(folder / f"{name}.bson", "wb") for name in collections}
    rejects = open(folder / "rejects.jsonl", "w", encoding="utf-8")
    warnings = open(folder / "warnings.jsonl", "w", encoding="utf-8")
    for position, result in oracle.map_collection(documents, options):
        counts["read"] += 1
        if isinstance(result, oracle.Reject):
            rejects.write(json_line({"position": position, "code": result.code, "path": result.path}))
            counts["rejects"][result.code] = counts["rejects"].get(result.code, 0) + 1
            continue
        if result.skipped:
            counts["skipped"] += 1
            continue
        counts["mapped"] += 1
        counts["events"] += len(result.events)
        files["novel_jobs"].write(result.job)
        files["novel_job_events"].write(b"".join(result.events))
        files["novel_job_metrics"].write(result.metrics)
        files["novel_job_metadata"].write(result.metadata)
        warnings.write(json_line({"position": position, "warnings": [list(pair) for pair in result.warnings]}))
        for code_of_warning, _ in result.warnings:
            counts["warnings"][code_of_warning] = counts["warnings"].get(code_of_warning, 0) + 1
    for file in (*files.values(), rejects, warnings):
        file.close()
    (folder / "options.json").write_text(json.dumps({**oracle.DEFAULT_OPTIONS, **options}, indent=2) + "\n", encoding="utf-8")
    (folder / "counts.json").write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return counts


def write_one(task) -> str:
    """One corpus with one set of options (a task of the pool)."""
    out, name, option_set, seed, count, with_large = task
    documents = make_corpus(name, seed, count, with_large)
    if option_set == "default":
        (out / name).mkdir(parents=True, exist_ok=True)
        (out / name / "jobs.bson").write_bytes(b"".join(documents))
    counts = write_option_set(out / name / option_set, OPTION_SETS[option_set], documents)
    return (f"{name}/{option_set}: {counts['read']} read, {counts['mapped']} mapped, {counts['skipped']} skipped, "
            f"rejects {json.dumps(counts['rejects'], sort_keys=True)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", type=int, default=300, help="per corpus (edges: at least all hand-made ones)")
    parser.add_argument("--corpus", action="append", choices=CORPORA, help="only these")
    parser.add_argument("--large", action="store_true", help="add jobs at the 16 MiB limit to edges (big files)")
    arguments = parser.parse_args()
    tasks = [(arguments.outdir, name, option_set, arguments.seed, arguments.documents, arguments.large)
             for name in arguments.corpus or CORPORA for option_set in OPTION_SETS]
    with multiprocessing.Pool(min(len(tasks), 8)) as pool:
        for line in pool.imap(write_one, tasks):
            print(line, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
