"""An independent reference implementation of mapping v1 (`docs/mapping.md`), in Python.

It was written from the text of the contract alone, so that it can be compared, byte for byte, with
the Rust implementation.  `legacy.residue` is left out of the metadata: its shape is the
implementation's own business.  So are the rejects that depend on it (`round-trip`, and
`target-too-large` for metadata that only its residue carries over the limit).

Section numbers in docstrings are those of the contract.  Where the text left a choice, see
`ambiguities.md`.
"""

import math
import struct
from dataclasses import dataclass, field
from decimal import Decimal

from blake3 import blake3

import raw_bson as bson
from raw_bson import Value

DEFAULT_OPTIONS = {"on_unknown_status": "reject", "in_flight": "include", "status_policy": "legacy"}

DEPTH_MAX = 100
TARGET_BYTES_MAX = 16_777_216
DATE_MIN = -62_167_219_200_000  # 0000-01-01T00:00:00.000Z
DATE_MAX = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
NUMBER_MAX = 1.7976931348623157e308
EMBEDDED_EVENTS_MAX = 50
DISPLAY_MAX = 100
QUEUE = "novel-generation"


@dataclass
class Reject:
    """A document that does not map (section 10)."""

    code: str
    path: str


@dataclass
class Mapped:
    """What one legacy document becomes: BSON bytes, and its warnings sorted."""

    job: bytes
    events: list
    metrics: bytes
    metadata: bytes
    warnings: list
    skipped: bool
    job_id: str


@dataclass
class Warnings:
    """Section 2, **Warnings**: "a code and the path in the legacy document …; each pair once, sorted
    by code, then path, as bytes"."""

    pairs: set = field(default_factory=set)

    def add(self, code: str, path: str):
        self.pairs.add((code, path))

    def sorted(self) -> list:
        return sorted(self.pairs, key=lambda pair: (pair[0].encode(), pair[1].encode()))


# --- section 2: reading values ---------------------------------------------------------------------

def get(container, name: str):
    """The first field of that name, None where it is absent, null or undefined.

    "Where a document repeats a field name, the first one is meant, even if it is null"; "A field
    that is null or undefined counts as absent".  `container` is a document or None.
    """
    if container is None:
        return None
    for field_name, value in container.fields():
        if field_name == name:
            return None if value.kind in (bson.NULL, bson.UNDEFINED) else value
    return None


def as_number(value):
    """"*number*: Int32, Int64 or finite Double"; as f64, the way numbers are compared."""
    if value is None:
        return None
    if value.kind == bson.INT32:
        return float(struct.unpack("<i", value.payload)[0])
    if value.kind == bson.INT64:
        return float(struct.unpack("<q", value.payload)[0])
    if value.kind == bson.DOUBLE:
        number = struct.unpack("<d", value.payload)[0]
        return number if math.isfinite(number) else None
    return None


def as_count(value):
    """"*count* = a number ≥ 0" (-0.0 is one)."""
    number = as_number(value)
    return number if number is not None and number >= 0 else None


def as_string(value):
    """"*string*: BSON string, the empty one included"."""
    if value is None or value.kind != bson.STRING:
        return None
    return value.payload[4:-1].decode("utf-8")


def as_text(value):
    """"*text*: a string that is not empty"."""
    return as_string(value) or None


def as_boolean(value):
    """A BSON boolean."""
    return value.payload == b"\x01" if value is not None and value.kind == bson.BOOLEAN else None


def as_document(value):
    """A BSON document, not an array."""
    return value if value is not None and value.kind == bson.DOCUMENT else None


def as_elements(value):
    """The elements of an array, by position: "The keys of an array are ignored when it is read"."""
    if value is None or value.kind != bson.ARRAY:
        return None
    return [element for _, element in value.fields()]


def as_date(value):
    """"*date*: BSON DateTime with a year in 0000–9999"; milliseconds."""
    if value is None or value.kind != bson.DATE:
        return None
    milliseconds = struct.unpack("<q", value.payload)[0]
    return milliseconds if DATE_MIN <= milliseconds <= DATE_MAX else None


def as_timestamp(value):
    """A date, or "an Int32, Int64 or Double of epoch milliseconds from 0 to 253402300799999 …, its
    fraction then cut": in the `timestamp` of an alert, a decision, an enhancement or `error`."""
    number = as_number(value)
    if number is None:
        return as_date(value)
    return int(number) if 0 <= number <= DATE_MAX else None


def as_object_id(value):
    """The 12 bytes of an ObjectId."""
    return value.payload if value is not None and value.kind == bson.OBJECT_ID else None


def documents_of(value) -> list:
    """(position, document) for the elements of an array that are documents: those that are not
    "are left out of the output"."""
    elements = as_elements(value) or []
    return [(n, element) for n, element in enumerate(elements) if element.kind == bson.DOCUMENT]


def strings_of(value) -> list:
    """The strings of an array, empty ones included."""
    return [text for text in map(as_string, as_elements(value) or []) if text is not None]


def first_present(*candidates):
    """`a ?? b ?? …`: "`a` where it is present with its type, else `b`"."""
    return next((candidate for candidate in candidates if candidate is not None), None)


# --- section 2: writing values ---------------------------------------------------------------------

def number(value) -> Value:
    """"Written as a JavaScript driver would: integral, within int32 and not `-0.0` → Int32, else
    Double"."""
    value = float(value)
    minus_zero = value == 0 and math.copysign(1.0, value) < 0
    if value.is_integer() and -2**31 <= value <= 2**31 - 1 and not minus_zero:
        return bson.int32(int(value))
    return bson.double(value)


def in_sentence(value: float) -> str:
    """"Numbers in sentences are the shortest decimal digits that read back as the same f64, without
    exponent, without `.0`; -0.0 is `0`"."""
    value = float(value)
    if value == 0:
        return "0"
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def iso(milliseconds: int) -> str:
    """"*iso(t)*: `YYYY-MM-DDTHH:mm:ss.sssZ`", proleptic Gregorian, years 0000 to 9999."""
    assert DATE_MIN <= milliseconds <= DATE_MAX
    days, milliseconds_of_day = divmod(milliseconds, 86_400_000)
    # Civil date from days, with the year beginning in March and eras of 400 years.
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    seconds_of_day, millisecond = divmod(milliseconds_of_day, 1000)
    minutes_of_day, second = divmod(seconds_of_day, 60)
    hour, minute = divmod(minutes_of_day, 60)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"


def iso_string(milliseconds: int) -> Value:
    return bson.string(iso(milliseconds))


def composed(*fields) -> Value:
    """A document of the (name, value) pairs whose value is not None, in the order of the contract."""
    return bson.document([(name, value) for name, value in fields if value is not None])


def maybe(convert, value):
    """`field?`: "written only where the source has the type that section 12 gives it"."""
    return None if value is None else convert(value)


def or_absent(value: Value):
    """"a composed object or array marked `?` is absent where it would be empty"."""
    return value if value.fields() else None


def saturated_sum(values) -> float:
    """"Sums are left folds in array order in f64 from 0; a step beyond ±1.7976931348623157e308 stays
    there"."""
    total = 0.0
    for value in values:
        total = min(max(total + value, -NUMBER_MAX), NUMBER_MAX)
    return total


def is_readable(value: Value) -> bool:
    """**Copied parts**: False for "a part that would be written with a Regex, Code, Code with scope,
    Symbol, DBPointer, a Binary of subtype 2 whose inner length is not its length − 4, or a field name
    (not an array key) starting with `$` at any depth"."""
    if value.kind in (bson.REGEX, bson.CODE, bson.CODE_WITH_SCOPE, bson.SYMBOL, bson.DB_POINTER):
        return False
    if bson.has_wrong_inner_length(value):
        return False
    if value.kind == bson.DOCUMENT:
        return all(not name.startswith("$") and is_readable(inner) for name, inner in value.fields())
    if value.kind == bson.ARRAY:
        return all(is_readable(inner) for _, inner in value.fields())
    return True


def copied(value, path: str, warnings: Warnings):
    """The copied part, or None (with the warning `unreadable-part` "at its legacy path") where a
    JavaScript reader may fail on it."""
    if value is None:
        return None
    if is_readable(value):
        return value
    warnings.add("unreadable-part", path)
    return None


def without_id(part: Value) -> Value:
    """A document "without their own `_id`" ("takes each" of a repeated name); the rest unchanged."""
    return bson.document([(name, value) for name, value in part.fields() if name != "_id"])


# --- section 12: expected types --------------------------------------------------------------------

def scalar_type(*kinds):
    """A check for values that are of one of these BSON types, else `type-mismatch`."""
    def check(value, path, warnings):
        if value.kind not in kinds:
            warnings.add("type-mismatch", path)
    return check


def check_number(value, path, warnings):
    """"NaN and infinities count as missing (warning `invalid-number`)"."""
    if value.kind not in (bson.INT32, bson.INT64, bson.DOUBLE):
        warnings.add("type-mismatch", path)
    elif as_number(value) is None:
        warnings.add("invalid-number", path)


def check_count(value, path, warnings):
    """"a negative one counts as missing (`invalid-number`)"."""
    if value.kind not in (bson.INT32, bson.INT64, bson.DOUBLE):
        warnings.add("type-mismatch", path)
    elif as_count(value) is None:
        warnings.add("invalid-number", path)


def check_date(value, path, warnings):
    """"BSON DateTime with a year in 0000–9999, else it counts as missing (`invalid-date`)"."""
    if value.kind != bson.DATE:
        warnings.add("type-mismatch", path)
    elif as_date(value) is None:
        warnings.add("invalid-date", path)


def check_timestamp(value, path, warnings):
    """A date that may be a number; "any other one there, NaN included, is `invalid-date`"."""
    if value.kind not in (bson.DATE, bson.INT32, bson.INT64, bson.DOUBLE):
        warnings.add("type-mismatch", path)
    elif as_timestamp(value) is None:
        warnings.add("invalid-date", path)


def document_type(**fields):
    """`{…}` a document.  Only the first field of a name is checked, "even if it is null, and later
    ones are not checked for their type"."""
    def check(value, path, warnings):
        if value.kind != bson.DOCUMENT:
            warnings.add("type-mismatch", path)
            return
        for name, check_field in fields.items():
            inner = get(value, name)
            if inner is not None:
                check_field(inner, f"{path}.{name}" if path else name, warnings)
    return check


def array_type(check_element):
    """`[x]` an array of x; "a null array element … is of an unexpected type"."""
    def check(value, path, warnings):
        if value.kind != bson.ARRAY:
            warnings.add("type-mismatch", path)
            return
        for n, element in enumerate(as_elements(value)):
            check_element(element, f"{path}.{n}", warnings)
    return check


def map_type(check_entry, null_is_absent: bool):
    """`map x` a document whose every value is x, repeated names included ("map entries … takes
    each"); "null values are absent" for dates, "of an unexpected type" for characters and locations."""
    def check(value, path, warnings):
        if value.kind != bson.DOCUMENT:
            warnings.add("type-mismatch", path)
            return
        for name, entry in value.fields():
            if null_is_absent and entry.kind in (bson.NULL, bson.UNDEFINED):
                continue
            check_entry(entry, f"{path}.{name}", warnings)
    return check


def either_type(kind, check_document):
    """`string or {…}`."""
    def check(value, path, warnings):
        if value.kind != kind:
            check_document(value, path, warnings)
    return check


STRING_TYPE = scalar_type(bson.STRING)
BOOLEAN_TYPE = scalar_type(bson.BOOLEAN)
USAGE_TYPE = document_type(model=STRING_TYPE, tokensUsed=check_count, cost=check_count, duration=check_count)

EXPECTED_TYPES = document_type(
    currentPhase=STRING_TYPE, premise=STRING_TYPE, title=STRING_TYPE, genre=STRING_TYPE,
    subgenre=STRING_TYPE, targetWordCount=check_number, targetChapters=check_count,
    humanLikeWriting=BOOLEAN_TYPE,
    createdAt=check_date, updatedAt=check_date, completedAt=check_date,
    analysis=document_type(), qualityMetrics=document_type(),
    error=either_type(bson.STRING, document_type(
        message=STRING_TYPE, phase=STRING_TYPE, timestamp=check_timestamp)),
    outline=array_type(document_type(
        chapterNumber=check_number, wordTarget=check_number, title=STRING_TYPE, summary=STRING_TYPE,
        keyEvents=array_type(STRING_TYPE), humanLikeElements=document_type())),
    chapters=array_type(document_type(
        chapterNumber=check_number, wordCount=check_number, attempts=check_number,
        qualityScore=check_number, title=STRING_TYPE, content=STRING_TYPE, failureReason=STRING_TYPE,
        lastAttemptAt=check_date, generatedAt=check_date, tokensUsed=check_count, cost=check_count)),
    modelUsage=document_type(
        premiseAnalysis=USAGE_TYPE, outlineGeneration=USAGE_TYPE, chapterGeneration=USAGE_TYPE),
    progress=document_type(
        outlineComplete=BOOLEAN_TYPE, hasFailures=BOOLEAN_TYPE, chaptersCompleted=check_count,
        chaptersFailed=check_count, totalChapters=check_count,
        failedChapterNumbers=array_type(check_number),
        estimatedCompletion=check_date, lastActivity=check_date, failedAt=check_date),
    metadata=document_type(
        storyBible=document_type(
            characters=map_type(document_type(
                description=STRING_TYPE, traits=array_type(STRING_TYPE),
                relationships=array_type(STRING_TYPE),
                firstAppearance=check_number, lastSeen=check_number), null_is_absent=False),
            locations=map_type(document_type(
                description=STRING_TYPE, significance=STRING_TYPE, firstMentioned=check_number),
                null_is_absent=False),
            plotThreads=array_type(document_type()), timeline=array_type(document_type()),
            themes=array_type(either_type(bson.STRING, document_type(name=STRING_TYPE)))),
        continuityAlerts=array_type(document_type(
            id=STRING_TYPE, message=STRING_TYPE, details=STRING_TYPE, suggestion=STRING_TYPE,
            context=document_type(chapter=check_number, character=STRING_TYPE, plotThread=STRING_TYPE),
            timestamp=check_timestamp, resolved=BOOLEAN_TYPE)),
        aiDecisions=array_type(document_type(
            id=STRING_TYPE, type=STRING_TYPE, summary=STRING_TYPE, reasoning=STRING_TYPE,
            impact=STRING_TYPE, confidence=check_number, alternatives=array_type(document_type()),
            timestamp=check_timestamp)),
        enhancementsApplied=array_type(document_type(
            id=STRING_TYPE, type=STRING_TYPE, name=STRING_TYPE, description=STRING_TYPE,
            details=STRING_TYPE, timestamp=check_timestamp)),
        enhancedQualityMetrics=document_type(),
        costTracking=document_type(
            totalCost=check_count, tokensUsed=check_count, estimatedRemaining=check_count,
            breakdown=document_type(analysis=check_count, outline=check_count, chapters=check_count)),
        performance=document_type(
            averageResponseTime=check_number, totalRequests=check_number, errorCount=check_number,
            lastHealthCheck=check_date),
        currentStep=STRING_TYPE, estimatedTimeRemaining=check_number,
        phaseStartTimes=map_type(check_date, null_is_absent=True)),
)


# --- section 3: identity ---------------------------------------------------------------------------

WHITE_SPACE = frozenset(
    list(range(0x09, 0x0E)) + [0x20, 0x85, 0xA0, 0x1680] + list(range(0x2000, 0x200B))
    + [0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF])


def job_id_of(legacy_id: Value):
    """`jobId`: "ObjectId → 24 lower-case hex; string of 1–128 bytes without white space (Unicode
    White_Space or U+FEFF) at either end → itself; anything else is rejected"; None for that."""
    if legacy_id.kind == bson.OBJECT_ID:
        return legacy_id.payload.hex()
    text = as_text(legacy_id)
    if text is None or len(text.encode("utf-8")) > 128:
        return None
    if ord(text[0]) in WHITE_SPACE or ord(text[-1]) in WHITE_SPACE:
        return None
    return text


def target_id(legacy_id, job_id: str) -> Value:
    """"`_id` of the job, its metrics and its metadata: the legacy `_id` if it is an ObjectId, else the
    first 12 bytes of BLAKE3(`reshelve/v1/job` NUL jobId)"."""
    object_id = as_object_id(legacy_id)
    return bson.object_id(object_id or blake3(f"reshelve/v1/job\0{job_id}".encode()).digest()[:12])


def event_id(job_id: str, position: int, emitted_at: int) -> Value:
    """"bytes 0–3 = seconds of `emittedAt`, big-endian, clamped to 0…2³²−1; bytes 4–11 = the first 8
    bytes of BLAKE3(`reshelve/v1/event` NUL jobId NUL k in decimal)"."""
    seconds = min(max(emitted_at // 1000, 0), 2**32 - 1)
    digest = blake3(f"reshelve/v1/event\0{job_id}\0{position}".encode()).digest()
    return bson.object_id(struct.pack(">I", seconds) + digest[:8])


def object_id_time(object_id: bytes) -> int:
    """The time inside an ObjectId, in milliseconds (its seconds are unsigned)."""
    return struct.unpack(">I", object_id[:4])[0] * 1000


# --- what the rules share: chapters, outline, times, status ------------------------------------------

@dataclass
class Chapter:
    """One document of `chapters`, with what the target says of it (section 5, `chapters[]`)."""

    position: int
    source: Value
    number: float
    status: str
    title: str
    word_count: float
    cost: float
    tokens: float
    attempts: float
    last_attempt_at: int
    generated_at: int


@dataclass
class OutlineEntry:
    """One document of `outline` (section 5, `outline[]`)."""

    position: int
    source: Value
    number: float
    word_target: float


@dataclass
class Legacy:
    """The legacy document with everything that more than one rule reads."""

    root: Value
    job_id: str
    legacy_id: Value
    options: dict
    warnings: Warnings
    chapters: list = field(default_factory=list)
    outline: list = field(default_factory=list)
    created: int = 0
    started: int = 0
    end: int = 0
    status: str = ""  # the target's status, "" where the document is rejected for it
    made_failed: bool = False  # by in_flight=as-failed
    skipped: bool = False
    total_chapters: float = 0.0

    def get(self, *names):
        """The value at a path, every step through a document."""
        value = self.root
        for name in names[:-1]:
            value = as_document(get(value, name))
        return get(value, names[-1])

    def completed(self) -> list:
        return [chapter for chapter in self.chapters if chapter.status == "completed"]

    def failed(self) -> list:
        return [chapter for chapter in self.chapters if chapter.status == "failed"]

    def is_queued(self) -> bool:
        return self.status == "queued"

    def is_finished(self) -> bool:
        return self.status in ("completed", "failed")


CHAPTER_STATUSES = {
    "pending": "pending", "generating": "in-progress", "completed": "completed", "failed": "failed",
}


def read_chapters(legacy: Legacy):
    """Section 5, `chapters[]`: the number, the status, and their two warnings.

    "missing or unknown → `completed` if `content` is text, else `pending` (warning
    `unknown-chapter-status` at `chapters.n.status` unless it was missing)".  "Chapters with a number
    that came before: all stay (warning `duplicate-chapter-number` at `chapters.n`)".
    """
    numbers = set()
    for n, source in documents_of(get(legacy.root, "chapters")):
        legacy_status = get(source, "status")
        status = CHAPTER_STATUSES.get(as_string(legacy_status))
        if status is None:
            status = "completed" if as_text(get(source, "content")) else "pending"
            if legacy_status is not None:
                legacy.warnings.add("unknown-chapter-status", f"chapters.{n}.status")
        chapter_number = first_present(as_number(get(source, "chapterNumber")), float(n + 1))
        if chapter_number in numbers:
            legacy.warnings.add("duplicate-chapter-number", f"chapters.{n}")
        numbers.add(chapter_number)
        legacy.chapters.append(Chapter(
            position=n, source=source, number=chapter_number, status=status,
            title=as_string(get(source, "title")) or "",
            word_count=as_number(get(source, "wordCount")),
            cost=as_count(get(source, "cost")), tokens=as_count(get(source, "tokensUsed")),
            attempts=as_number(get(source, "attempts")),
            last_attempt_at=as_date(get(source, "lastAttemptAt")),
            generated_at=as_date(get(source, "generatedAt"))))


def read_outline(legacy: Legacy):
    """Section 5, `outline[]`: `chapterNumber` (number ?? n+1) and `wordTarget?`."""
    for n, source in documents_of(get(legacy.root, "outline")):
        legacy.outline.append(OutlineEntry(
            position=n, source=source,
            number=first_present(as_number(get(source, "chapterNumber")), float(n + 1)),
            word_target=as_number(get(source, "wordTarget"))))


def read_times(legacy: Legacy):
    """Section 4: `created`, `started`, `end`."""
    created = as_date(legacy.get("createdAt"))
    object_id = as_object_id(legacy.legacy_id)
    if created is None and object_id is not None:
        created = object_id_time(object_id)
    created = first_present(created, as_date(legacy.get("updatedAt")))
    if created is None:
        legacy.warnings.add("time-missing", "createdAt")
        created = 0
    legacy.created = created

    phase_starts = as_document(legacy.get("metadata", "phaseStartTimes"))
    starts = [as_date(value) for _, value in phase_starts.fields()] if phase_starts else []
    legacy.started = min((start for start in starts if start is not None and start >= created),
                         default=created)

    completed_at = as_date(legacy.get("completedAt"))
    last_activity = as_date(legacy.get("progress", "lastActivity"))
    updated_at = as_date(legacy.get("updatedAt"))
    if as_string(legacy.get("status")) == "failed" and completed_at is None:
        present = [time for time in (last_activity, updated_at) if time is not None]
        end = max(present, default=None)
    else:
        end = first_present(completed_at, last_activity, updated_at)
    if end is None:
        end = max((chapter.generated_at for chapter in legacy.completed()
                   if chapter.generated_at is not None), default=created)
    legacy.end = max(end, legacy.started)


STATUSES = {
    **dict.fromkeys(["planning", "pending", "queued"], "queued"),
    **dict.fromkeys(["outlining", "writing", "recovering", "processing", "analyzing", "running"], "running"),
    "completed": "completed",
    **dict.fromkeys(["failed", "cancelled"], "failed"),
}


def evidence_of(legacy: Legacy):
    """*Evidence*: "`completed` if there is a chapter and every chapter is completed and, where there
    is an outline, every outline chapter number is among them; `failed` if there are chapters and none
    is completed, pending or in progress"; else None."""
    if not legacy.chapters:
        return None
    statuses = {chapter.status for chapter in legacy.chapters}
    numbers = {chapter.number for chapter in legacy.chapters}
    if statuses == {"completed"} and all(entry.number in numbers for entry in legacy.outline):
        return "completed"
    return "failed" if statuses == {"failed"} else None


def read_status(legacy: Legacy):
    """Section 5, **status**: "the table, `on_unknown_status`, `status_policy`, `in_flight`"."""
    status = STATUSES.get(as_string(legacy.get("status")))
    if status is None:
        if legacy.options["on_unknown_status"] == "reject":
            return
        legacy.warnings.add("unknown-status", "status")
        status = "failed"
    evidence = evidence_of(legacy)
    if status in ("completed", "failed") and evidence is not None and evidence != status:
        legacy.warnings.add("status-conflict", "status")
        if legacy.options["status_policy"] == "evidence":
            status = evidence
    if status in ("queued", "running"):
        if legacy.options["in_flight"] == "as-failed":
            status = "failed"
            legacy.made_failed = True
        elif legacy.options["in_flight"] == "skip":
            legacy.skipped = True
    legacy.status = status


def read_total_chapters(legacy: Legacy):
    """`totalChaptersPlanned` = "length of the written outline if not 0, else count
    `progress.totalChapters` ?? count `targetChapters` ?? number of chapters written"."""
    if legacy.outline:
        legacy.total_chapters = float(len(legacy.outline))
    else:
        legacy.total_chapters = first_present(
            as_count(legacy.get("progress", "totalChapters")),
            as_count(legacy.get("targetChapters")), float(len(legacy.chapters)))


# --- section 5: novel_jobs ---------------------------------------------------------------------------

def payload_fields(legacy: Legacy) -> list:
    """`payload`: four strings (else `""`), two numbers (else 0), a boolean (else false)."""
    fields = [(name, bson.string(as_string(legacy.get(name)) or ""))
              for name in ("title", "premise", "genre", "subgenre")]
    fields += [(name, number(first_present(as_number(legacy.get(name)), 0)))
               for name in ("targetWordCount", "targetChapters")]
    human_like = as_boolean(legacy.get("humanLikeWriting")) or False
    return fields + [("humanLikeWriting", bson.boolean(human_like))]


def job_outline(legacy: Legacy) -> Value:
    """Section 5, `outline[]`."""
    written = []
    for entry in legacy.outline:
        path = f"outline.{entry.position}"

        def part(name, value):
            return copied(value, f"{path}.{name}", legacy.warnings)

        written.append(composed(
            ("chapterNumber", number(entry.number)),
            ("title", bson.string(as_string(get(entry.source, "title")) or "")),
            ("summary", bson.string(as_string(get(entry.source, "summary")) or "")),
            ("keyEvents", bson.array(map(bson.string, strings_of(get(entry.source, "keyEvents"))))),
            ("wordTarget", maybe(number, entry.word_target)),
            ("humanLikeElements",
             part("humanLikeElements", as_document(get(entry.source, "humanLikeElements")))),
            ("characterFocus", part("characterFocus", get(entry.source, "characterFocus"))),
            ("plotAdvancement", part("plotAdvancement", get(entry.source, "plotAdvancement"))),
            ("genreElements", part("genreElements", get(entry.source, "genreElements")))))
    return bson.array(written)


def chapter_model(legacy: Legacy, chapter: Chapter):
    """`model?` (`modelUsage.chapterGeneration.model`, on completed chapters; a text)."""
    if chapter.status != "completed":
        return None
    return as_text(legacy.get("modelUsage", "chapterGeneration", "model"))


def job_chapters(legacy: Legacy) -> Value:
    """Section 5, `chapters[]`."""
    written = []
    for chapter in legacy.chapters:
        tokens = None
        if chapter.tokens is not None:
            tokens = composed(("promptTokens", number(0)), ("completionTokens", number(0)),
                              ("totalTokens", number(chapter.tokens)))
        written.append(composed(
            ("chapterNumber", number(chapter.number)),
            ("title", bson.string(chapter.title)),
            ("status", bson.string(chapter.status)),
            ("wordCount", bson.NULL_VALUE if chapter.word_count is None else number(chapter.word_count)),
            ("content", maybe(bson.string, as_string(get(chapter.source, "content")))),
            ("model", maybe(bson.string, chapter_model(legacy, chapter))),
            ("costInUsd", maybe(number, chapter.cost)),
            ("tokens", tokens),
            ("attempts", bson.array([])),
            ("legacy", composed(
                ("attempts", maybe(number, chapter.attempts)),
                ("lastAttemptAt", maybe(iso_string, chapter.last_attempt_at)),
                ("failureReason", maybe(bson.string, as_string(get(chapter.source, "failureReason")))),
                ("qualityScore", maybe(number, as_number(get(chapter.source, "qualityScore")))),
                ("generatedAt", maybe(iso_string, chapter.generated_at))))))
    return bson.array(written)


def job_context(legacy: Legacy, analysis: Value) -> Value:
    """Section 5, `context`: "no content, no outline here"."""
    chapters = [composed(
        ("chapterNumber", number(chapter.number)),
        ("title", bson.string(chapter.title)),
        ("status", bson.string(chapter.status)),
        ("wordCount", bson.NULL_VALUE if chapter.word_count is None else number(chapter.word_count)),
        ("attempts", bson.array([]))) for chapter in legacy.chapters]
    return composed(
        ("job", composed(
            ("jobId", bson.string(legacy.job_id)),
            *payload_fields(legacy),
            ("metadata", composed(("requestedAt", iso_string(legacy.created)),
                                  ("receivedAt", iso_string(legacy.created)))))),
        ("analysis", analysis),
        ("chapters", bson.array(chapters)),
        ("metadata", composed(
            ("source", bson.string("legacy-backfill")),
            ("mapping", bson.string("v1")),
            ("legacyStatus", maybe(bson.string, as_string(legacy.get("status")))),
            ("legacyPhase", maybe(bson.string, as_string(legacy.get("currentPhase")))))))


def total_word_count(legacy: Legacy) -> float:
    """"sum of `wordCount` over completed chapters"."""
    return saturated_sum(chapter.word_count for chapter in legacy.completed()
                         if chapter.word_count is not None)


def job_engine(legacy: Legacy) -> Value:
    """Section 5, `engine`: "without any, no `modelOverrides`"."""
    overrides = composed(*(
        (name, maybe(bson.string, as_text(legacy.get("modelUsage", usage, "model"))))
        for name, usage in (("analysis", "premiseAnalysis"), ("outline", "outlineGeneration"),
                            ("chapter", "chapterGeneration"))))
    return composed(("clientType", bson.string("openai")), ("modelOverrides", or_absent(overrides)))


def failure_reason(legacy: Legacy) -> str:
    """The reason of the job's own failure (section 5, `failures[]`)."""
    if legacy.made_failed:
        return "generation was in flight when the data was migrated"
    error = legacy.get("error")
    return first_present(as_text(error), as_text(get(as_document(error), "message")),
                         "job failed; the legacy record holds no reason")


def job_failures(legacy: Legacy) -> Value:
    """Section 5, `failures[]`: "for each failed chapter, in order …; then, if the job's status is
    `failed`" one for the job."""
    failures = []
    for chapter in legacy.failed():
        no_reason = f"chapter {in_sentence(chapter.number)} failed; the legacy record holds no reason"
        failures.append(composed(
            ("occurredAt", iso_string(first_present(chapter.last_attempt_at, legacy.end))),
            ("reason", bson.string(as_text(get(chapter.source, "failureReason")) or no_reason)),
            ("stage", bson.string("chapter_writing")),
            ("metadata", composed(("chapterNumber", number(chapter.number)),
                                  ("attempts", maybe(number, chapter.attempts))))))
    if legacy.status == "failed":
        error = as_document(legacy.get("error"))
        stage = first_present(as_text(get(error, "phase")), as_text(legacy.get("currentPhase")))
        failures.append(composed(
            ("occurredAt", iso_string(first_present(
                as_timestamp(get(error, "timestamp")), as_date(legacy.get("progress", "failedAt")),
                legacy.end))),
            ("reason", bson.string(failure_reason(legacy))),
            ("stage", maybe(bson.string, None if stage == "completed" else stage)),
            ("metadata", composed(
                ("legacyStatus", maybe(bson.string, as_string(legacy.get("status"))))))))
    return bson.array(failures)


def job_progress(legacy: Legacy) -> Value:
    """Section 5, `progress`, and its warnings `progress-drift`: "Where a present `chaptersCompleted`,
    `chaptersFailed`, `hasFailures` or `failedChapterNumbers` (an array; its numbers as a set) differs
    from the chapters"."""
    completed, failed = float(len(legacy.completed())), float(len(legacy.failed()))
    chapters_completed = as_count(legacy.get("progress", "chaptersCompleted"))
    chapters_failed = as_count(legacy.get("progress", "chaptersFailed"))
    has_failures = as_boolean(legacy.get("progress", "hasFailures"))
    elements = as_elements(legacy.get("progress", "failedChapterNumbers"))
    failed_numbers = None
    if elements is not None:
        failed_numbers = [found for found in map(as_number, elements) if found is not None]
    counted_numbers = [chapter.number for chapter in legacy.failed()]

    for name, recorded, counted in (
            ("chaptersCompleted", chapters_completed, completed),
            ("chaptersFailed", chapters_failed, failed),
            ("hasFailures", has_failures, failed > 0),
            ("failedChapterNumbers", maybe(set, failed_numbers), set(counted_numbers))):
        if recorded is not None and recorded != counted:
            legacy.warnings.add("progress-drift", f"progress.{name}")

    return composed(
        ("outlineComplete", bson.boolean(first_present(
            as_boolean(legacy.get("progress", "outlineComplete")), bool(legacy.outline)))),
        ("chaptersCompleted", number(first_present(chapters_completed, completed))),
        ("chaptersFailed", number(first_present(chapters_failed, failed))),
        ("totalChapters", number(first_present(
            as_count(legacy.get("progress", "totalChapters")), legacy.total_chapters))),
        ("failedChapterNumbers", bson.array(map(number, first_present(failed_numbers, counted_numbers)))),
        ("hasFailures", bson.boolean(first_present(has_failures, failed > 0))),
        ("estimatedCompletion", maybe(iso_string, as_date(legacy.get("progress", "estimatedCompletion")))),
        ("lastActivity", maybe(iso_string, as_date(legacy.get("progress", "lastActivity")))))


def job_quality_metrics(legacy: Legacy):
    """Section 5, `qualityMetrics`: "the legacy document unchanged (a `{}` too), plus `enhanced` =
    `metadata.enhancedQualityMetrics` unchanged where one of its own fields is a number other than 0,
    unless the written document has a field of that name, a null one too; absent where neither is"."""
    quality = copied(as_document(legacy.get("qualityMetrics")), "qualityMetrics", legacy.warnings)
    enhanced = as_document(legacy.get("metadata", "enhancedQualityMetrics"))
    if enhanced is not None:
        numbers = [as_number(value) for _, value in enhanced.fields()]
        measured = any(found is not None and found != 0 for found in numbers)
        taken = quality is not None and any(name == "enhanced" for name, _ in quality.fields())
        enhanced = enhanced if measured and not taken else None
    enhanced = copied(enhanced, "metadata.enhancedQualityMetrics", legacy.warnings)
    if enhanced is None:
        return quality
    return bson.document((quality.fields() if quality is not None else []) + [("enhanced", enhanced)])


def build_job(legacy: Legacy, events: list) -> Value:
    """Section 5, the job in its order of fields."""
    analysis = copied(as_document(legacy.get("analysis")), "analysis", legacy.warnings) or bson.NULL_VALUE
    return composed(
        ("_id", target_id(legacy.legacy_id, legacy.job_id)),
        ("jobId", bson.string(legacy.job_id)),
        ("queue", bson.string(QUEUE)),
        ("status", bson.string(legacy.status)),
        ("payload", composed(*payload_fields(legacy))),
        ("requestedAt", iso_string(legacy.created)),
        ("receivedAt", iso_string(legacy.created)),
        ("startedAt", None if legacy.is_queued() else iso_string(legacy.started)),
        ("completedAt", iso_string(legacy.end) if legacy.is_finished() else None),
        ("durationMs", number(legacy.end - legacy.started) if legacy.is_finished() else None),
        ("analysis", analysis),
        ("outline", job_outline(legacy)),
        ("chapters", job_chapters(legacy)),
        ("context", job_context(legacy, analysis)),
        ("summary", composed(
            ("chaptersGenerated", number(len(legacy.completed()))),
            ("totalChaptersPlanned", number(legacy.total_chapters)),
            ("totalWordCount", number(total_word_count(legacy))))),
        ("engine", job_engine(legacy)),
        ("events", bson.array(newest_bodies(events, "generation"))),
        ("domainEvents", bson.array(newest_bodies(events, "domain"))),
        ("failures", job_failures(legacy)),
        ("progress", job_progress(legacy)),
        ("modelUsage", copied(as_document(legacy.get("modelUsage")), "modelUsage", legacy.warnings)),
        ("qualityMetrics", job_quality_metrics(legacy)),
        ("createdAt", bson.date(legacy.created)),
        ("updatedAt", bson.date(updated_at(legacy))))


def updated_at(legacy: Legacy) -> int:
    """Section 4: "On job, metrics and metadata: …, `updatedAt` = legacy `updatedAt` ?? `end`"."""
    return first_present(as_date(legacy.get("updatedAt")), legacy.end)


def newest_bodies(events: list, kind: str) -> list:
    """"the newest 50 `event` bodies of kind generation, and the newest 50 of kind domain (section 8),
    oldest first"."""
    return [event.body() for event in events if event.kind == kind][-EMBEDDED_EVENTS_MAX:]


# --- section 6: novel_job_metrics --------------------------------------------------------------------

def build_metrics(legacy: Legacy) -> Value:
    """Section 6.  All numbers read here are counts."""
    def usage(part, name):
        return as_count(legacy.get("modelUsage", part, name))

    def tracked(*names):
        return as_count(legacy.get("metadata", "costTracking", *names))

    def chapters_total(sum_of_chapters, recorded, fallback):
        """"the larger of Σ … and `usage.chapterGeneration.…`; where that is 0, `tracked.…` ?? 0"."""
        largest = recorded if recorded is not None and recorded > sum_of_chapters else sum_of_chapters
        return first_present(fallback, 0.0) if largest == 0 else largest

    analysis_usd = first_present(usage("premiseAnalysis", "cost"), tracked("breakdown", "analysis"), 0.0)
    outline_usd = first_present(usage("outlineGeneration", "cost"), tracked("breakdown", "outline"), 0.0)
    chapters_usd = chapters_total(
        saturated_sum(chapter.cost for chapter in legacy.chapters if chapter.cost is not None),
        usage("chapterGeneration", "cost"), tracked("breakdown", "chapters"))
    recomputed_usd = saturated_sum([analysis_usd, outline_usd, chapters_usd])
    total_usd = tracked("totalCost")
    if total_usd is not None and total_usd > 0:
        if abs(total_usd - recomputed_usd) > 0.005:
            legacy.warnings.add("cost-drift", "metadata.costTracking.totalCost")
    else:
        total_usd = recomputed_usd

    analysis_tokens = first_present(usage("premiseAnalysis", "tokensUsed"), 0.0)
    outline_tokens = first_present(usage("outlineGeneration", "tokensUsed"), 0.0)
    chapters_tokens = chapters_total(
        saturated_sum(chapter.tokens for chapter in legacy.chapters if chapter.tokens is not None),
        usage("chapterGeneration", "tokensUsed"), None)
    recomputed_tokens = saturated_sum([analysis_tokens, outline_tokens, chapters_tokens])
    total_tokens = tracked("tokensUsed")
    if total_tokens is None or not total_tokens > 0:
        total_tokens = recomputed_tokens

    latencies = [first_present(usage(part, "duration"), 0.0)
                 for part in ("premiseAnalysis", "outlineGeneration", "chapterGeneration")]
    total_latency = legacy.end - legacy.started if legacy.is_finished() else saturated_sum(latencies)

    return composed(
        ("_id", target_id(legacy.legacy_id, legacy.job_id)),
        ("jobId", bson.string(legacy.job_id)),
        ("cost", composed(
            ("totalUsd", number(total_usd)), ("analysisUsd", number(analysis_usd)),
            ("outlineUsd", number(outline_usd)), ("chaptersUsd", number(chapters_usd)),
            ("recomputedUsd", number(recomputed_usd)))),
        ("tokens", composed(
            ("total", number(total_tokens)), ("analysis", number(analysis_tokens)),
            ("outline", number(outline_tokens)), ("chapters", number(chapters_tokens)),
            ("recomputed", number(recomputed_tokens)))),
        ("latencyMs", composed(
            ("analysis", number(latencies[0])), ("outline", number(latencies[1])),
            ("chapters", number(latencies[2])), ("total", number(total_latency)))),
        ("createdAt", bson.date(legacy.created)),
        ("updatedAt", bson.date(updated_at(legacy))))


# --- section 7: novel_job_metadata -------------------------------------------------------------------

def first_free(wanted: str, taken: set) -> str:
    """The id or key itself, or "the first of `key#2`, `key#3` … that no earlier entry has"."""
    candidate, suffix = wanted, 2
    while candidate in taken:
        candidate, suffix = f"{wanted}#{suffix}", suffix + 1
    return candidate


def map_entries(legacy: Legacy, name: str) -> list:
    """**Map keys.**  (written key, original key, value), "in the byte order of their original keys";
    repeated keys in source order."""
    entries = as_document(legacy.get("metadata", "storyBible", name))
    if entries is None:
        return []
    taken, written = set(), []
    for original, value in sorted(entries.fields(), key=lambda entry: entry[0].encode("utf-8")):
        escaped = original.replace(".", "\uff0e")
        if escaped.startswith("$"):
            escaped = "\uff04" + escaped[1:]
        escaped = escaped or "_"
        if escaped != original:
            legacy.warnings.add("key-escaped", f"metadata.storyBible.{name}.{original}")
        key = first_free(escaped, taken)
        taken.add(key)
        written.append((key, original, value))
    return written


def related_character(description: str, others: list) -> str:
    """"of the other entries' original keys that occur in `r` (case counts; a repeated key counts as
    often; an empty key occurs in nothing; a key that is part of a longer one of these keys does not
    count, wherever it occurs), if exactly one is left, its written key; else `"unknown"`"."""
    found = [(key, original) for key, original, _ in others if original and original in description]
    left = [key for key, original in found
            if not any(original != longer and original in longer for _, longer in found)]
    return left[0] if len(left) == 1 else "unknown"


def story_bible_characters(legacy: Legacy) -> Value:
    """Section 7, `storyBibleCharacters`."""
    entries = map_entries(legacy, "characters")
    written = []
    for n, (key, original, value) in enumerate(entries):
        source = as_document(value)
        others = entries[:n] + entries[n + 1:]
        relationships = [
            composed(("characterId", bson.string(related_character(description, others))),
                     ("description", bson.string(description)))
            for description in strings_of(get(source, "relationships")) if description]
        metadata = composed(
            ("firstAppearance", maybe(number, as_number(get(source, "firstAppearance")))),
            ("lastSeen", maybe(number, as_number(get(source, "lastSeen")))))
        written.append((key, composed(
            ("name", bson.string(original or "_")),
            ("summary", maybe(bson.string, as_string(get(source, "description")))),
            ("traits", bson.array(map(bson.string, strings_of(get(source, "traits"))))),
            ("relationships", bson.array(relationships)),
            ("metadata", or_absent(metadata)))))
    return bson.document(written)


def story_bible_locations(legacy: Legacy):
    """Section 7, `storyBibleLocations`: "absent where there is no entry"."""
    written = []
    for key, _, value in map_entries(legacy, "locations"):
        source = as_document(value)
        written.append((key, composed(
            ("description", maybe(bson.string, as_string(get(source, "description")))),
            ("firstMentioned", maybe(number, as_number(get(source, "firstMentioned")))),
            ("significance", maybe(bson.string, as_string(get(source, "significance")))))))
    return or_absent(bson.document(written))


def story_bible_themes(legacy: Legacy) -> Value:
    """"the text names of `bible.themes` (or the element itself if it is text), first occurrence of
    each"."""
    names = []
    for element in as_elements(legacy.get("metadata", "storyBible", "themes")) or []:
        name = first_present(as_text(element), as_text(get(as_document(element), "name")))
        if name is not None and name not in names:
            names.append(name)
    return bson.array(map(bson.string, names))


def with_iso_dates(value: Value) -> Value:
    """"every date at any depth as iso (out-of-range ones stay as they are), arrays in them with the
    keys 0, 1, 2 …"."""
    if value.kind == bson.DOCUMENT:
        return bson.document([(name, with_iso_dates(inner)) for name, inner in value.fields()])
    if value.kind == bson.ARRAY:
        return bson.array([with_iso_dates(inner) for _, inner in value.fields()])
    milliseconds = as_date(value)
    return value if milliseconds is None else iso_string(milliseconds)


def copied_documents(legacy: Legacy, value, path: str) -> list:
    """"the documents of each array, without their own `_id`", those a reader can read."""
    parts = [copied(without_id(part), f"{path}.{n}", legacy.warnings) for n, part in documents_of(value)]
    return [part for part in parts if part is not None]


def story_bible_metadata(legacy: Legacy):
    """Section 7, `storyBibleMetadata`: "a part only where it is not empty; absent where all are"."""
    parts = []
    for name in ("plotThreads", "timeline", "themes"):
        source = legacy.get("metadata", "storyBible", name)
        parts_of_array = copied_documents(legacy, source, f"metadata.storyBible.{name}")
        parts.append((name, or_absent(bson.array(map(with_iso_dates, parts_of_array)))))
    return or_absent(composed(*parts))


def own_id(source: Value, n: int) -> str:
    """"text `id` ?? `"legacy-"` + hex of an ObjectId `_id` ?? `"legacy-" + n`"."""
    object_id = as_object_id(get(source, "_id"))
    return first_present(as_text(get(source, "id")),
                         None if object_id is None else "legacy-" + object_id.hex(), f"legacy-{n}")


@dataclass
class Alert:
    """One written alert, before the order is made."""

    original_id: str
    written_id: str
    created_at: int
    resolved: bool
    title: str
    severity: str
    message: str
    context: Value

    def written(self) -> Value:
        return composed(
            ("alertId", bson.string(self.written_id)), ("title", bson.string(self.title)),
            ("message", bson.string(self.message)), ("severity", bson.string(self.severity)),
            ("createdAt", iso_string(self.created_at)), ("resolved", bson.boolean(self.resolved)),
            ("context", or_absent(self.context)))


def read_alert(legacy: Legacy, n: int, source: Value) -> Alert:
    """Section 7, `continuityAlerts[]`: one alert with its own id."""
    context = as_document(get(source, "context"))
    chapter = as_number(get(context, "chapter"))
    severity = as_string(get(source, "severity"))
    if severity not in ("info", "warning", "critical"):
        severity = "info"
        if get(source, "severity") is not None:
            legacy.warnings.add("unknown-severity", f"metadata.continuityAlerts.{n}.severity")
    title = f"{severity.capitalize()} continuity alert"
    if chapter is not None:
        title += f" (chapter {in_sentence(chapter)})"
    details = as_string(get(source, "details"))
    identity = own_id(source, n)
    return Alert(
        original_id=identity, written_id=identity,
        created_at=first_present(as_timestamp(get(source, "timestamp")), legacy.created),
        resolved=as_boolean(get(source, "resolved")) or False,
        title=title, severity=severity,
        message=first_present(as_text(get(source, "message")), details or None, "(no message)"),
        context=composed(
            ("chapter", maybe(number, chapter)),
            ("character", maybe(bson.string, as_string(get(context, "character")))),
            ("plotThread", maybe(bson.string, as_string(get(context, "plotThread")))),
            ("details", maybe(bson.string, details)),
            ("suggestion", maybe(bson.string, as_string(get(source, "suggestion"))))))


def continuity_alerts(legacy: Legacy) -> Value:
    """**Dedupe by id without losing an alert**, then "newest `createdAt` first, ties in source order"."""
    alerts, taken, earlier = [], set(), {}
    for n, source in documents_of(legacy.get("metadata", "continuityAlerts")):
        path = f"metadata.continuityAlerts.{n}"
        alert = read_alert(legacy, n, source)
        same = (alert.original_id, alert.severity, alert.message, alert.context.payload)
        if same in earlier:
            first = earlier[same]
            first.created_at = min(first.created_at, alert.created_at)
            first.resolved = first.resolved or alert.resolved
            legacy.warnings.add("alert-merged", path)
            continue
        earlier[same] = alert
        alert.written_id = first_free(alert.original_id, taken)
        if alert.written_id != alert.original_id:
            legacy.warnings.add("alert-id-collision", path)
        taken.add(alert.written_id)
        alerts.append(alert)
    if len(alerts) > DISPLAY_MAX:
        legacy.warnings.add("over-display-limit", "metadata.continuityAlerts")
    return bson.array([alert.written() for alert in newest_first(alerts, lambda alert: alert.created_at)])


def newest_first(items: list, time_of) -> list:
    """"newest first, ties in source order"."""
    return sorted(items, key=lambda item: -time_of(item))


@dataclass
class Dated:
    """A decision or an enhancement: its written id, its time, its source and its position."""

    written_id: str
    time: int
    source: Value
    position: int


def read_dated(legacy: Legacy, name: str) -> list:
    """"id as for alerts, a repeated id takes the first free of `#2`, `#3` …, without a warning";
    the time = `timestamp` ?? `created`.  In source order."""
    taken, items = set(), []
    for n, source in documents_of(legacy.get("metadata", name)):
        identity = first_free(own_id(source, n), taken)
        taken.add(identity)
        time = first_present(as_timestamp(get(source, "timestamp")), legacy.created)
        items.append(Dated(identity, time, source, n))
    return items


def decision_type(decision: Dated) -> str:
    """"`type` = text, else `"unknown"`"."""
    return first_present(as_text(get(decision.source, "type")), "unknown")


def ai_decisions(legacy: Legacy) -> Value:
    """Section 7, `aiDecisions[]`."""
    decisions = read_dated(legacy, "aiDecisions")
    written = []
    for decision in newest_first(decisions, lambda decision: decision.time):
        source = decision.source
        alternatives = None
        if as_elements(get(source, "alternatives")) is not None:
            path = f"metadata.aiDecisions.{decision.position}.alternatives"
            alternatives = bson.array(copied_documents(legacy, get(source, "alternatives"), path))
        metadata = composed(("reasoning", maybe(bson.string, as_string(get(source, "reasoning")))),
                            ("alternatives", alternatives))
        written.append(composed(
            ("decisionId", bson.string(decision.written_id)),
            ("type", bson.string(decision_type(decision))),
            ("decidedAt", iso_string(decision.time)),
            *decision_details(decision),
            ("metadata", or_absent(metadata))))
    if len(written) > DISPLAY_MAX:
        legacy.warnings.add("over-display-limit", "metadata.aiDecisions")
    return bson.array(written)


def decision_details(decision: Dated) -> list:
    """`summary?, confidence?, impact?`, in metadata and in the event alike."""
    return [("summary", maybe(bson.string, as_string(get(decision.source, "summary")))),
            ("confidence", maybe(number, as_number(get(decision.source, "confidence")))),
            ("impact", maybe(bson.string, as_string(get(decision.source, "impact"))))]


def enhancements(legacy: Legacy) -> Value:
    """Section 7, `enhancements[]`, "the same way" as decisions."""
    written = []
    for enhancement in newest_first(read_dated(legacy, "enhancementsApplied"), lambda item: item.time):
        data = composed(*((name, maybe(bson.string, as_string(get(enhancement.source, name))))
                          for name in ("type", "name", "description", "details")))
        written.append(composed(
            ("enhancementId", bson.string(enhancement.written_id)),
            ("createdAt", iso_string(enhancement.time)),
            ("data", or_absent(data))))
    return bson.array(written)


def performance(legacy: Legacy):
    """Section 7, `performance`: "absent where empty"."""
    def measured(name):
        return as_number(legacy.get("metadata", "performance", name))

    def not_zero(value):
        return value if value else None  # -0.0 is 0

    phases = as_document(legacy.get("metadata", "phaseStartTimes"))
    starts = [(name, maybe(iso_string, as_date(value))) for name, value in (phases.fields() if phases else [])]
    remaining = as_count(legacy.get("metadata", "costTracking", "estimatedRemaining"))
    return or_absent(composed(
        ("averageResponseTime", maybe(number, measured("averageResponseTime"))),
        ("totalRequests", maybe(number, not_zero(measured("totalRequests")))),
        ("errorCount", maybe(number, not_zero(measured("errorCount")))),
        ("lastHealthCheck", maybe(iso_string, as_date(
            legacy.get("metadata", "performance", "lastHealthCheck")))),
        ("currentStep", maybe(bson.string, as_string(legacy.get("metadata", "currentStep")))),
        ("estimatedTimeRemaining", maybe(number, as_number(
            legacy.get("metadata", "estimatedTimeRemaining")))),
        ("phaseStartTimes", or_absent(composed(*starts))),
        ("estimatedRemainingUsd", maybe(number, not_zero(remaining)))))


def era_of(legacy: Legacy) -> int:
    """"`era` 1–5 = the newest era a feature of which is present with its type (5 `metadata` document, 4
    `humanLikeWriting` or an outline `humanLikeElements`, 2 a string chapter `status` or a count
    `progress.chaptersFailed`, else 1; 3 is not told apart from 2)"."""
    if as_document(legacy.get("metadata")) is not None:
        return 5
    human_like_outline = any(as_document(get(entry.source, "humanLikeElements")) is not None
                             for entry in legacy.outline)
    if as_boolean(legacy.get("humanLikeWriting")) is not None or human_like_outline:
        return 4
    string_status = any(as_string(get(chapter.source, "status")) is not None for chapter in legacy.chapters)
    if string_status or as_count(legacy.get("progress", "chaptersFailed")) is not None:
        return 2
    return 1


def build_metadata(legacy: Legacy) -> Value:
    """Section 7, without `legacy.residue`."""
    return composed(
        ("_id", target_id(legacy.legacy_id, legacy.job_id)),
        ("jobId", bson.string(legacy.job_id)),
        ("storyBibleCharacters", story_bible_characters(legacy)),
        ("storyBibleMetadata", story_bible_metadata(legacy)),
        ("storyBibleLocations", story_bible_locations(legacy)),
        ("storyBibleThemes", story_bible_themes(legacy)),
        ("continuityAlerts", continuity_alerts(legacy)),
        ("aiDecisions", ai_decisions(legacy)),
        ("enhancements", enhancements(legacy)),
        ("performance", performance(legacy)),
        ("legacy", composed(
            ("mapping", bson.string("v1")),
            ("era", number(era_of(legacy))),
            ("fingerprint", bson.binary(blake3(legacy.root.payload).digest())))),
        ("createdAt", bson.date(legacy.created)),
        ("updatedAt", bson.date(updated_at(legacy))))


# --- section 8: novel_job_events ---------------------------------------------------------------------

@dataclass
class Event:
    """One synthesized event.  `fields` come after `type` and `occurredAt` in an event body, and are
    the snapshot of a job-status event; `name` is the type, or the status."""

    kind: str
    name: str
    time: int
    fields: list

    def body(self) -> Value:
        """The `event` of kinds generation and domain: "`occurredAt` = `emittedAt`"; "every `event` and
        `snapshot` ends with `synthetic: true`"."""
        return composed(("type", bson.string(self.name)), ("occurredAt", iso_string(self.time)),
                        *self.fields, ("synthetic", bson.boolean(True)))

    def written(self, job_id: str, position: int) -> Value:
        """"`_id, jobId, kind, emittedAt, event?, status?, snapshot?, createdAt, updatedAt`"."""
        is_status = self.kind == "job-status"
        return composed(
            ("_id", event_id(job_id, position, self.time)),
            ("jobId", bson.string(job_id)),
            ("kind", bson.string(self.kind)),
            ("emittedAt", iso_string(self.time)),
            ("event", None if is_status else self.body()),
            ("status", bson.string(self.name) if is_status else None),
            ("snapshot", composed(*self.fields, ("synthetic", bson.boolean(True))) if is_status else None),
            ("createdAt", bson.date(self.time)),
            ("updatedAt", bson.date(self.time)))


def progress_fields(outline_complete: bool, completed: int, failed: int, total: float,
                    has_failures: bool) -> Value:
    """`progress {outlineComplete, chaptersCompleted, chaptersFailed, totalChapters, hasFailures}`."""
    return composed(
        ("outlineComplete", bson.boolean(outline_complete)), ("chaptersCompleted", number(completed)),
        ("chaptersFailed", number(failed)), ("totalChapters", number(total)),
        ("hasFailures", bson.boolean(has_failures)))


def start_events(legacy: Legacy) -> list:
    """Section 8, items 1 to 4."""
    events = [Event("job-status", "queued", legacy.created, [
        ("stage", bson.string("requested")), ("queue", bson.string(QUEUE))])]
    if not legacy.is_queued():
        events.append(Event("job-status", "running", legacy.started, [
            ("stage", bson.string("acknowledged")), ("queue", bson.string(QUEUE)),
            ("receivedAt", iso_string(legacy.created))]))
        events.append(Event("generation", "phase-transition", legacy.started, [
            ("from", bson.string("initialization")), ("to", bson.string("outlining")),
            ("description", bson.string("Creating detailed outline from synopsis"))]))
    if legacy.outline:
        object_id = as_object_id(get(legacy.outline[0].source, "_id"))
        time = legacy.started if object_id is None else object_id_time(object_id)
        events.append(Event("generation", "job-update", time, [
            ("status", bson.string("outline_complete")),
            ("currentPhase", bson.string("chapter_generation")),
            ("message", bson.string("Outline completed. Starting chapter generation...")),
            ("progress", progress_fields(True, 0, 0, legacy.total_chapters, False))]))
    return events


def chapter_progress(legacy: Legacy, chapter: Chapter, time: int, status: str, verb: str) -> Event:
    """Section 8, item 5: the `generation-progress` of a chapter completed or in progress."""
    entry = next((entry for entry in legacy.outline if entry.number == chapter.number), None)
    return Event("generation", "generation-progress", time, [
        ("chapterNumber", number(chapter.number)),
        ("status", bson.string(status)),
        ("details", bson.string(f"Chapter {in_sentence(chapter.number)} drafting {verb}")),
        ("wordTarget", maybe(number, entry.word_target if entry else None)),
        ("wordsGenerated", maybe(number, chapter.word_count))])


def chapter_events(legacy: Legacy) -> list:
    """Section 8, item 5: "per chapter, in order"."""
    events, completed, failed = [], 0, 0
    for chapter in legacy.chapters:
        if chapter.status == "completed":
            completed += 1
            time = first_present(chapter.generated_at, legacy.end)
            events.append(chapter_progress(legacy, chapter, time, "ai_completed", "completed"))
            if chapter.cost is not None or chapter.tokens is not None:
                events.append(Event("generation", "cost-tracking", time, [
                    ("chapterNumber", number(chapter.number)),
                    ("model", bson.string(first_present(chapter_model(legacy, chapter), "unknown"))),
                    ("promptTokens", number(0)), ("completionTokens", number(0)),
                    ("totalTokens", number(first_present(chapter.tokens, 0))),
                    ("costInUsd", number(first_present(chapter.cost, 0)))]))
        elif chapter.status == "in-progress":
            time = first_present(chapter.last_attempt_at, chapter.generated_at, legacy.end)
            events.append(chapter_progress(legacy, chapter, time, "ai_generating", "commenced"))
        elif chapter.status == "failed":
            failed += 1
            attempts = in_sentence(first_present(chapter.attempts, 0))
            events.append(Event(
                "generation", "job-update", first_present(chapter.last_attempt_at, legacy.end), [
                    ("status", bson.string("chapter_generation")),
                    ("currentPhase", bson.string("chapter_generation")),
                    ("message", bson.string(
                        f"Chapter {in_sentence(chapter.number)} failed after {attempts} attempts.")),
                    ("progress", progress_fields(
                        bool(legacy.outline), completed, failed, legacy.total_chapters, True))]))
    return events


def story_events(legacy: Legacy) -> list:
    """Section 8, items 6 and 7: "in order of time, ties in source order"."""
    job_id = ("jobId", bson.string(legacy.job_id))
    events = []
    for decision in sorted(read_dated(legacy, "aiDecisions"), key=lambda item: item.time):
        events.append(Event("domain", "ai-decision-recorded", decision.time, [
            job_id, ("decisionId", bson.string(decision.written_id)),
            ("decisionType", bson.string(decision_type(decision))), *decision_details(decision)]))
    for enhancement in sorted(read_dated(legacy, "enhancementsApplied"), key=lambda item: item.time):
        def text(name):
            return maybe(bson.string, as_string(get(enhancement.source, name)))

        events.append(Event("domain", "enhancement-applied", enhancement.time, [
            job_id, ("enhancementId", bson.string(enhancement.written_id)),
            ("enhancementType", text("type")), ("name", text("name")),
            ("description", text("description"))]))
    return events


def end_events(legacy: Legacy) -> list:
    """Section 8, items 8 and 9."""
    completed, failed = len(legacy.completed()), len(legacy.failed())
    if legacy.status == "completed":
        message = "Novel generation completed successfully!"
        if failed:
            message = (f"Novel completed with {completed}/{in_sentence(legacy.total_chapters)} chapters. "
                       f"{failed} chapters failed and can be retried.")
        return [
            Event("domain", "job-completed", legacy.end, [
                ("jobId", bson.string(legacy.job_id)), ("status", bson.string("completed")),
                ("currentPhase", bson.string("completed")), ("message", bson.string(message)),
                ("progress", progress_fields(
                    bool(legacy.outline), completed, failed, legacy.total_chapters, failed > 0))]),
            Event("job-status", "completed", legacy.end, [
                ("queue", bson.string(QUEUE)), ("completedAt", iso_string(legacy.end)),
                ("durationMs", number(legacy.end - legacy.started)),
                ("chaptersGenerated", number(completed)),
                ("totalWordCount", number(total_word_count(legacy))),
                ("totalChaptersPlanned", number(legacy.total_chapters))])]
    if legacy.status == "failed":
        return [Event("job-status", "failed", legacy.end, [
            ("queue", bson.string(QUEUE)), ("failedAt", iso_string(legacy.end)),
            ("error", bson.string(failure_reason(legacy)))])]
    return []


def make_events(legacy: Legacy) -> list:
    """Section 8: "times before `created` become `created`; sort by time, ties in list order; append
    items 8 and 9; then make times strictly increasing: each becomes at least the previous + 1 ms.
    Should a time pass 9999-12-31T23:59:59.999Z, the last event takes that instant and each earlier
    one at most 1 ms less than the next"."""
    events = start_events(legacy) + chapter_events(legacy) + story_events(legacy)
    for event in events:
        event.time = max(event.time, legacy.created)
    events = sorted(events, key=lambda event: event.time) + end_events(legacy)
    for previous, event in zip(events, events[1:]):
        event.time = max(event.time, previous.time + 1)
    if events[-1].time > DATE_MAX:
        events[-1].time = DATE_MAX
        for event, following in zip(reversed(events[:-1]), reversed(events)):
            event.time = min(event.time, following.time - 1)
    return events


# --- section 10: the whole mapping ---------------------------------------------------------------------

def map_document(legacy_bytes: bytes, options: dict = None):
    """Map one legacy document: a `Reject`, or `Mapped`.

    Section 10: "Where several apply, the first in this order is given: `malformed-bson`, …,
    `too-deep` (the legacy document, or a target document without its residue …), `missing-id`,
    `unsupported-id`, `unknown-status`, `duplicate-id`, `target-too-large`".  `duplicate-id` is found
    by `map_collection`; so is `target-too-large`, which comes after it: see `too_large`.
    """
    options = {**DEFAULT_OPTIONS, **(options or {})}
    try:
        legacy_depth = bson.check(legacy_bytes)
    except bson.MalformedBson:
        return Reject("malformed-bson", "")
    if legacy_depth > DEPTH_MAX:
        return Reject("too-deep", "")

    root = Value(bson.DOCUMENT, legacy_bytes)
    ids = [value for name, value in root.fields() if name == "_id"]
    legacy_id = ids[0] if ids else None
    job_id = job_id_of(legacy_id) if ids else None

    legacy = Legacy(root=root, job_id=job_id or "", legacy_id=legacy_id, options=options,
                    warnings=Warnings())
    EXPECTED_TYPES(root, "", legacy.warnings)
    read_chapters(legacy)
    read_outline(legacy)
    read_times(legacy)
    read_status(legacy)
    read_total_chapters(legacy)
    events = make_events(legacy)
    written_events = [event.written(legacy.job_id, position) for position, event in enumerate(events)]
    job, metrics, metadata = build_job(legacy, events), build_metrics(legacy), build_metadata(legacy)

    # "The target's depth depends on neither `_id` nor status", so it comes before them.
    if any(bson.depth(target) > DEPTH_MAX for target in (job, metrics, metadata, *written_events)):
        return Reject("too-deep", "")
    if legacy_id is None:
        return Reject("missing-id", "_id")
    if job_id is None:
        return Reject("unsupported-id", "_id")
    if not legacy.status:
        return Reject("unknown-status", "status")
    return Mapped(job=job.payload, events=[event.payload for event in written_events],
                  metrics=metrics.payload, metadata=metadata.payload,
                  warnings=legacy.warnings.sorted(), skipped=legacy.skipped, job_id=job_id)


def too_large(mapped: Mapped) -> bool:
    """`target-too-large`: "a target document, without its residue, above 16 777 216 bytes"."""
    return any(len(target) > TARGET_BYTES_MAX
               for target in (mapped.job, mapped.metrics, mapped.metadata, *mapped.events))


def map_collection(documents, options: dict = None):
    """Map the documents of a run, in source order; yields (position, Reject | Mapped).

    Section 10: "`duplicate-id` (a document whose jobId an earlier document of the run was mapped to;
    a rejected or skipped one does not count)"; "A document left out by `skip` is checked up to
    `unknown-status` only".
    """
    mapped_ids = set()
    for position, legacy_bytes in enumerate(documents):
        result = map_document(legacy_bytes, options)
        if isinstance(result, Mapped) and not result.skipped:
            if result.job_id in mapped_ids:
                result = Reject("duplicate-id", "_id")
            elif too_large(result):
                result = Reject("target-too-large", "")
            else:
                mapped_ids.add(result.job_id)
        yield position, result
