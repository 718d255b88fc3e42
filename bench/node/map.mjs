// The plain mapping of one legacy job to a job, its metrics and its metadata: no events, no
// residue, no proof. Written as a backfill script would be, with the defaults of the driver.

import { mkdirSync, openSync, readSync, writeSync, fsyncSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { BSON } from 'bson';

const QUEUE = 'novel-generation';
const READ_BYTES = 4 * 1024 * 1024;
const WRITE_BYTES = 1024 * 1024;

const STATUSES = {
  planning: 'queued',
  pending: 'queued',
  queued: 'queued',
  outlining: 'running',
  writing: 'running',
  recovering: 'running',
  processing: 'running',
  analyzing: 'running',
  running: 'running',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'failed',
};

const CHAPTER_STATUSES = {
  pending: 'pending',
  generating: 'in-progress',
  completed: 'completed',
  failed: 'failed',
};

const iso = (date) => (date instanceof Date ? date.toISOString() : undefined);
const sum = (numbers) => numbers.reduce((total, number) => total + (number ?? 0), 0);
const newestFirst = (a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0);

function times(legacy) {
  const created = legacy.createdAt ?? legacy._id.getTimestamp?.() ?? new Date(0);
  const end =
    legacy.completedAt ?? legacy.progress?.lastActivity ?? legacy.updatedAt ?? created;
  const phases = Object.values(legacy.metadata?.phaseStartTimes ?? {});
  const started = phases.filter((date) => date >= created).sort((a, b) => a - b)[0] ?? created;
  return { created, started, end: end < started ? started : end };
}

function mapOutline(entry, index) {
  return {
    chapterNumber: entry.chapterNumber ?? index + 1,
    title: entry.title ?? '',
    summary: entry.summary ?? '',
    keyEvents: entry.keyEvents ?? [],
    wordTarget: entry.wordTarget,
    humanLikeElements: entry.humanLikeElements,
    characterFocus: entry.characterFocus,
    plotAdvancement: entry.plotAdvancement,
    genreElements: entry.genreElements,
  };
}

function mapChapter(chapter, index, model) {
  const status =
    CHAPTER_STATUSES[chapter.status] ?? (chapter.content ? 'completed' : 'pending');
  return {
    chapterNumber: chapter.chapterNumber ?? index + 1,
    title: chapter.title ?? '',
    status,
    wordCount: chapter.wordCount ?? null,
    content: chapter.content ?? undefined,
    model: status === 'completed' ? model : undefined,
    costInUsd: chapter.cost ?? undefined,
    tokens:
      chapter.tokensUsed === undefined
        ? undefined
        : { promptTokens: 0, completionTokens: 0, totalTokens: chapter.tokensUsed },
    attempts: [],
    legacy: {
      attempts: chapter.attempts,
      lastAttemptAt: iso(chapter.lastAttemptAt),
      failureReason: chapter.failureReason,
      qualityScore: chapter.qualityScore,
      generatedAt: iso(chapter.generatedAt),
    },
  };
}

function failuresOf(legacy, status, chapters, end) {
  const failures = chapters
    .filter((chapter) => chapter.status === 'failed')
    .map((chapter) => ({
      occurredAt: chapter.legacy.lastAttemptAt ?? end.toISOString(),
      reason:
        chapter.legacy.failureReason ??
        `chapter ${chapter.chapterNumber} failed; the legacy record holds no reason`,
      stage: 'chapter_writing',
      metadata: { chapterNumber: chapter.chapterNumber, attempts: chapter.legacy.attempts },
    }));
  if (status === 'failed') {
    failures.push({
      occurredAt: end.toISOString(),
      reason: legacy.error?.message ?? legacy.error ?? 'job failed; the legacy record holds no reason',
      stage: legacy.currentPhase,
      metadata: { legacyStatus: legacy.status },
    });
  }
  return failures;
}

function mapJob(legacy, jobId, { created, started, end }) {
  const status = STATUSES[legacy.status] ?? 'failed';
  const usage = legacy.modelUsage ?? {};
  const outline = (legacy.outline ?? []).map(mapOutline);
  const model = usage.chapterGeneration?.model;
  const chapters = (legacy.chapters ?? []).map((chapter, index) => mapChapter(chapter, index, model));
  const completed = chapters.filter((chapter) => chapter.status === 'completed');
  const failed = chapters.filter((chapter) => chapter.status === 'failed');
  const done = status === 'completed' || status === 'failed';
  const progress = legacy.progress ?? {};
  const payload = {
    title: legacy.title ?? '',
    premise: legacy.premise ?? '',
    genre: legacy.genre ?? '',
    subgenre: legacy.subgenre ?? '',
    targetWordCount: legacy.targetWordCount ?? 0,
    targetChapters: legacy.targetChapters ?? 0,
    humanLikeWriting: legacy.humanLikeWriting ?? false,
  };
  const totalChapters =
    outline.length || progress.totalChapters || legacy.targetChapters || chapters.length;
  const requestedAt = created.toISOString();
  return {
    _id: legacy._id,
    jobId,
    queue: QUEUE,
    status,
    payload,
    requestedAt,
    receivedAt: requestedAt,
    startedAt: status === 'queued' ? undefined : started.toISOString(),
    completedAt: done ? end.toISOString() : undefined,
    durationMs: done ? end - started : undefined,
    analysis: legacy.analysis ?? null,
    outline,
    chapters,
    context: {
      job: { jobId, ...payload, metadata: { requestedAt, receivedAt: requestedAt } },
      analysis: legacy.analysis ?? null,
      chapters: chapters.map(({ chapterNumber, title, status, wordCount }) => ({
        chapterNumber,
        title,
        status,
        wordCount,
        attempts: [],
      })),
      metadata: {
        source: 'legacy-backfill',
        legacyStatus: legacy.status,
        legacyPhase: legacy.currentPhase,
      },
    },
    summary: {
      chaptersGenerated: completed.length,
      totalChaptersPlanned: totalChapters,
      totalWordCount: sum(completed.map((chapter) => chapter.wordCount)),
    },
    engine: {
      clientType: 'openai',
      modelOverrides: {
        analysis: usage.premiseAnalysis?.model,
        outline: usage.outlineGeneration?.model,
        chapter: model,
      },
    },
    events: [],
    domainEvents: [],
    failures: failuresOf(legacy, status, chapters, end),
    progress: {
      outlineComplete: progress.outlineComplete ?? outline.length > 0,
      chaptersCompleted: progress.chaptersCompleted ?? completed.length,
      chaptersFailed: progress.chaptersFailed ?? failed.length,
      totalChapters,
      failedChapterNumbers:
        progress.failedChapterNumbers ?? failed.map((chapter) => chapter.chapterNumber),
      hasFailures: progress.hasFailures ?? failed.length > 0,
      estimatedCompletion: iso(progress.estimatedCompletion),
      lastActivity: iso(progress.lastActivity),
    },
    modelUsage: legacy.modelUsage,
    qualityMetrics: legacy.qualityMetrics,
    createdAt: created,
    updatedAt: legacy.updatedAt ?? end,
  };
}

function breakdown(legacy, field, trackedTotal, tracked) {
  const usage = legacy.modelUsage ?? {};
  const analysis = usage.premiseAnalysis?.[field] ?? tracked?.analysis ?? 0;
  const outline = usage.outlineGeneration?.[field] ?? tracked?.outline ?? 0;
  const added = sum((legacy.chapters ?? []).map((chapter) => chapter[field]));
  const chapters =
    Math.max(added, usage.chapterGeneration?.[field] ?? 0) || (tracked?.chapters ?? 0);
  const recomputed = analysis + outline + chapters;
  return { total: trackedTotal > 0 ? trackedTotal : recomputed, analysis, outline, chapters, recomputed };
}

function mapMetrics(legacy, jobId, { created, started, end }) {
  const tracked = legacy.metadata?.costTracking;
  const cost = breakdown(legacy, 'cost', tracked?.totalCost, tracked?.breakdown);
  const tokens = breakdown(legacy, 'tokensUsed', tracked?.tokensUsed);
  const usage = legacy.modelUsage ?? {};
  return {
    _id: legacy._id,
    jobId,
    cost: {
      totalUsd: cost.total,
      analysisUsd: cost.analysis,
      outlineUsd: cost.outline,
      chaptersUsd: cost.chapters,
      recomputedUsd: cost.recomputed,
    },
    tokens,
    latencyMs: {
      analysis: usage.premiseAnalysis?.duration ?? 0,
      outline: usage.outlineGeneration?.duration ?? 0,
      chapters: usage.chapterGeneration?.duration ?? 0,
      total: end - started,
    },
    createdAt: created,
    updatedAt: legacy.updatedAt ?? end,
  };
}

function mapAlerts(alerts, created) {
  const seen = new Map();
  alerts.forEach((alert, index) => {
    const alertId = alert.id || (alert._id ? `legacy-${alert._id.toHexString()}` : `legacy-${index}`);
    if (seen.has(alertId)) return;
    const severity = ['info', 'warning', 'critical'].includes(alert.severity) ? alert.severity : 'info';
    seen.set(alertId, {
      alertId,
      title: `${severity[0].toUpperCase()}${severity.slice(1)} continuity alert`,
      message: alert.message || alert.details || '(no message)',
      severity,
      createdAt: iso(alert.timestamp) ?? created.toISOString(),
      resolved: alert.resolved ?? false,
      context: { ...alert.context, details: alert.details, suggestion: alert.suggestion },
    });
  });
  return [...seen.values()].sort(newestFirst);
}

function mapCharacter(name, character) {
  return {
    name,
    summary: character.description,
    traits: character.traits ?? [],
    relationships: (character.relationships ?? []).map((description) => ({
      characterId: 'unknown',
      description,
    })),
    metadata: { firstAppearance: character.firstAppearance, lastSeen: character.lastSeen },
  };
}

const withoutId = ({ _id, ...rest }) => rest;

function mapMetadata(legacy, jobId, { created, end }) {
  const metadata = legacy.metadata ?? {};
  const bible = metadata.storyBible ?? {};
  const key = (name) => name.replaceAll('.', '\uFF0E').replace(/^\$/, '\uFF04');
  const performance = metadata.performance ?? {};
  return {
    _id: legacy._id,
    jobId,
    storyBibleCharacters: Object.fromEntries(
      Object.entries(bible.characters ?? {})
        .sort()
        .map(([name, character]) => [key(name), mapCharacter(name, character)]),
    ),
    storyBibleMetadata: {
      plotThreads: (bible.plotThreads ?? []).map(withoutId),
      timeline: (bible.timeline ?? []).map(withoutId),
      themes: (bible.themes ?? []).map(withoutId),
    },
    storyBibleLocations: Object.fromEntries(
      Object.entries(bible.locations ?? {}).map(([name, location]) => [key(name), location]),
    ),
    storyBibleThemes: [...new Set((bible.themes ?? []).map((theme) => theme.name ?? theme))],
    continuityAlerts: mapAlerts(metadata.continuityAlerts ?? [], created),
    aiDecisions: (metadata.aiDecisions ?? [])
      .map((decision, index) => ({
        decisionId: decision.id || `legacy-${index}`,
        type: decision.type || 'unknown',
        decidedAt: iso(decision.timestamp) ?? created.toISOString(),
        summary: decision.summary,
        confidence: decision.confidence,
        impact: decision.impact,
        metadata: { reasoning: decision.reasoning, alternatives: decision.alternatives },
      }))
      .sort((a, b) => (a.decidedAt < b.decidedAt ? 1 : -1)),
    enhancements: (metadata.enhancementsApplied ?? [])
      .map((enhancement, index) => ({
        enhancementId: enhancement.id || `legacy-${index}`,
        createdAt: iso(enhancement.timestamp) ?? created.toISOString(),
        data: { type: enhancement.type, name: enhancement.name, description: enhancement.description },
      }))
      .sort(newestFirst),
    performance: { ...performance, lastHealthCheck: iso(performance.lastHealthCheck) },
    createdAt: created,
    updatedAt: legacy.updatedAt ?? end,
  };
}

function transform(legacy) {
  const jobId = legacy._id.toString();
  const at = times(legacy);
  return [
    mapJob(legacy, jobId, at),
    mapMetrics(legacy, jobId, at),
    mapMetadata(legacy, jobId, at),
  ];
}

// Documents back to back, framed by their length prefix; the buffer is reused.
function* documents(path) {
  const file = openSync(path, 'r');
  let buffer = Buffer.allocUnsafe(READ_BYTES);
  let start = 0;
  let end = 0;
  for (;;) {
    while (end - start >= 4) {
      const length = buffer.readInt32LE(start);
      if (end - start < length) break;
      yield buffer.subarray(start, start + length);
      start += length;
    }
    const wanted = end - start >= 4 ? buffer.readInt32LE(start) : 4;
    if (wanted > buffer.length) {
      const larger = Buffer.allocUnsafe(wanted * 2);
      buffer.copy(larger, 0, start, end);
      buffer = larger;
    } else {
      buffer.copyWithin(0, start, end);
    }
    end -= start;
    start = 0;
    const read = readSync(file, buffer, end, buffer.length - end, null);
    if (read === 0) {
      if (end > 0) throw new Error(`${path}: truncated`);
      closeSync(file);
      return;
    }
    end += read;
  }
}

// One file of the target: documents are gathered, so that a write is worth its system call.
class Output {
  constructor(path) {
    this.file = openSync(path, 'w');
    this.waiting = [];
    this.bytes = 0;
  }

  add(bytes) {
    this.waiting.push(bytes);
    this.bytes += bytes.length;
    if (this.bytes >= WRITE_BYTES) this.flush();
  }

  flush() {
    for (const bytes of this.waiting) writeSync(this.file, bytes);
    this.waiting = [];
    this.bytes = 0;
  }

  close() {
    this.flush();
    fsyncSync(this.file);
    closeSync(this.file);
  }
}

const [source, flag, folder] = process.argv.slice(2);
if (!source || (flag && flag !== '--out') || (flag && !folder)) {
  console.error('usage: node map.mjs SOURCE.bson [--out FOLDER]');
  process.exit(2);
}
const names = ['novel_jobs', 'novel_job_metrics', 'novel_job_metadata'];
if (folder) mkdirSync(folder, { recursive: true });
const outputs = folder ? names.map((name) => new Output(join(folder, `${name}.bson`))) : null;
let count = 0;
let bytes = 0;
for (const document of documents(source)) {
  const legacy = BSON.deserialize(document);
  transform(legacy).forEach((mapped, at) => {
    const encoded = BSON.serialize(mapped, { ignoreUndefined: true });
    bytes += encoded.length;
    outputs?.[at].add(encoded);
  });
  count += 1;
}
outputs?.forEach((output) => output.close());
console.log(JSON.stringify({ documents: count, bytes }));
