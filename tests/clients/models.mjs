// The four target collections as mongoose models, strict where the description of the target is.
//
// They say more than the new stack's own models, which leave most parts open: what breaks one of
// its readers is an error here. Nothing has a default but the numbers of the metrics, so that a
// field that is missing cannot hide behind one.

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const STATUSES = ['queued', 'running', 'completed', 'failed'];
const PROGRESS = {
  outlineComplete: 'boolean',
  chaptersCompleted: 'number',
  chaptersFailed: 'number',
  totalChapters: 'number',
  hasFailures: 'boolean',
};

/** Whether readers can sort and page by this text. */
const isIso = (text) => ISO.test(text) && !Number.isNaN(Date.parse(text));

const update = { status: 'string', currentPhase: 'string', message: 'string', progress: PROGRESS };
const transition = { from: 'string', to: 'string', description: 'string' };
const progress = { chapterNumber: 'number', status: ['ai_generating', 'ai_completed'], details: 'string' };
const cost = {
  chapterNumber: 'number',
  model: 'string',
  promptTokens: 'number',
  completionTokens: 'number',
  totalTokens: 'number',
  costInUsd: 'number',
};

/** The fields without which an event of a kind and type cannot be shown. */
const EVENTS = {
  generation: {
    'phase-transition': transition,
    'job-update': update,
    'generation-progress': progress,
    'cost-tracking': cost,
    'stage-log': { stage: 'string', level: ['debug', 'info', 'warn', 'error'], message: 'string' },
  },
  domain: {
    'phase-transitioned': transition,
    'job-status-updated': update,
    'job-completed': update,
    'chapter-progress': progress,
    'chapter-cost-tracked': cost,
    'ai-decision-recorded': { decisionId: 'string', decisionType: 'string' },
    'enhancement-applied': { enhancementId: 'string' },
  },
};

const SNAPSHOTS = {
  queued: { stage: 'string', queue: 'string' },
  running: { stage: 'string', queue: 'string', receivedAt: 'iso' },
  completed: {
    queue: 'string',
    completedAt: 'iso',
    durationMs: 'number',
    chaptersGenerated: 'number',
    totalWordCount: 'number',
    totalChaptersPlanned: 'number',
  },
  failed: { queue: 'string', failedAt: 'iso', error: 'string' },
};

/** What is wrong with a free-form object that should have these fields; '' where nothing is. */
function faultOf(object, fields, path) {
  if (object === null || typeof object !== 'object') return `${path} is no object`;
  for (const [name, wanted] of Object.entries(fields)) {
    const value = object[name];
    const here = `${path}.${name}`;
    if (Array.isArray(wanted)) {
      if (!wanted.includes(value)) return `${here} is none of ${wanted.join(', ')}`;
    } else if (typeof wanted === 'object') {
      const fault = faultOf(value, wanted, here);
      if (fault) return fault;
    } else if (wanted === 'iso') {
      if (typeof value !== 'string' || !isIso(value)) return `${here} is no time as text`;
    } else if (wanted === 'text') {
      if (typeof value !== 'string' || value === '') return `${here} is no text`;
    } else if (typeof value !== wanted) {
      return `${here} is no ${wanted}`;
    }
  }
  return '';
}

function faultOfEvent(event, kind, jobId, path) {
  const fields = EVENTS[kind][event?.type];
  if (!fields) return `${path}.type is no known type of kind ${kind}`;
  const fault = faultOf(event, { occurredAt: 'iso', ...fields }, path);
  if (fault) return fault;
  return kind === 'domain' && event.jobId !== jobId ? `${path}.jobId is not that of the job` : '';
}

function faultOfCharacter(character, path) {
  const fault = faultOf(character, { name: 'text' }, path);
  if (fault) return fault;
  const { summary, traits, relationships } = character;
  if (!['string', 'undefined'].includes(typeof summary)) return `${path}.summary is no string`;
  if (!Array.isArray(traits) || !traits.every((trait) => typeof trait === 'string')) {
    return `${path}.traits are no strings`;
  }
  if (!Array.isArray(relationships)) return `${path}.relationships is no array`;
  const wanted = { characterId: 'text', description: 'text' };
  return relationships.map((one) => faultOf(one, wanted, `${path}.relationships`)).find(Boolean) ?? '';
}

const newestFirst = (field) => ({
  validator: (items) => items.every((item, n) => n === 0 || items[n - 1][field] >= item[field]),
  message: `not newest ${field} first`,
});

/** Makes the models on a connection. No model creates a collection or an index. */
export function declareModels(mongoose, connection) {
  const { Schema } = mongoose;
  const { Mixed } = Schema.Types;

  const part = (fields, options = {}) =>
    new Schema(fields, { _id: false, id: false, versionKey: false, minimize: false, ...options });
  const collection = (name, fields) =>
    new Schema(fields, {
      collection: name,
      timestamps: true,
      versionKey: false,
      id: false,
      minimize: false,
      autoIndex: false,
      autoCreate: false,
    });

  const text = { type: String, required: true };
  const iso = { type: String, validate: isIso };
  const times = {
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  };
  const number = { type: Number, required: true };
  // There, but possibly empty: mongoose takes an empty string for a missing one.
  const stated = (name) => ({
    type: String,
    required() {
      return this.get(name) == null;
    },
  });
  const zero = { type: Number, default: 0 };

  const payload = {
    title: stated('title'),
    premise: stated('premise'),
    genre: stated('genre'),
    subgenre: stated('subgenre'),
    targetWordCount: number,
    targetChapters: number,
    humanLikeWriting: { type: Boolean, required: true },
  };
  const attempt = part({
    prompt: String,
    content: String,
    tokens: Mixed,
    costInUsd: Number,
    rawResponse: Mixed,
    createdAt: iso,
  });
  const outline = part(
    {
      chapterNumber: number,
      title: stated('title'),
      summary: stated('summary'),
      keyEvents: { type: [String], required: true },
      wordTarget: Number,
      humanLikeElements: Mixed,
    },
    { strict: false },
  );
  const tokens = part({ promptTokens: number, completionTokens: number, totalTokens: number });
  const chapterFields = {
    chapterNumber: number,
    title: stated('title'),
    status: { ...text, enum: ['pending', 'in-progress', 'completed', 'failed'] },
    wordCount: Number,
    content: String,
    model: String,
    costInUsd: Number,
    tokens,
    attempts: { type: [attempt], required: true },
  };
  const chapter = part(chapterFields, { strict: false });
  const context = part({
    job: {
      type: part({
        jobId: text,
        ...payload,
        metadata: part({ requestedAt: iso, receivedAt: { ...iso, required: true } }),
      }),
      required: true,
    },
    analysis: Mixed,
    outline: { type: [outline], default: undefined },
    chapters: { type: [chapter], required: true },
    metadata: { type: Mixed, required: true },
  });
  const failure = part({
    occurredAt: { ...iso, required: true },
    reason: text,
    stage: String,
    metadata: Mixed,
  });

  const job = collection('novel_jobs', {
    jobId: text,
    queue: { ...text, enum: ['novel-generation'] },
    status: { ...text, enum: STATUSES },
    payload: { type: part(payload), required: true },
    requestedAt: iso,
    receivedAt: { ...iso, required: true },
    startedAt: iso,
    completedAt: iso,
    durationMs: Number,
    analysis: Mixed,
    outline: { type: [outline], required: true },
    chapters: { type: [chapter], required: true },
    context: { type: context, required: true },
    summary: {
      type: part({ chaptersGenerated: number, totalChaptersPlanned: number, totalWordCount: number }),
      required: true,
    },
    engine: {
      type: part({
        clientType: { ...text, enum: ['openai', 'mock'] },
        modelOverrides: part({ analysis: String, outline: String, chapter: String }),
      }),
      required: true,
    },
    events: { type: [Mixed], required: true },
    domainEvents: { type: [Mixed], required: true },
    failures: { type: [failure], required: true },
    ...times,
  });
  job.index({ jobId: 1 }, { unique: true, name: 'idx_novel_jobs_jobId' });
  job.index({ status: 1, createdAt: -1 }, { name: 'idx_novel_jobs_status_createdAt' });
  job.pre('validate', function checkEvents() {
    for (const [path, kind] of [['events', 'generation'], ['domainEvents', 'domain']]) {
      const bodies = this.get(path);
      if (bodies.length > 50) this.invalidate(path, `${bodies.length} events for a quick look`);
      bodies.forEach((body, n) => {
        const fault = faultOfEvent(body, kind, this.jobId, `${path}.${n}`);
        if (fault) this.invalidate(path, fault);
      });
    }
    if (this.context?.job?.jobId !== this.jobId) this.invalidate('context', 'of another job');
  });

  const event = collection('novel_job_events', {
    jobId: text,
    kind: { ...text, enum: ['generation', 'domain', 'job-status'] },
    emittedAt: { ...iso, required: true },
    event: Mixed,
    status: { type: String, enum: STATUSES },
    snapshot: Mixed,
    ...times,
  });
  event.index({ jobId: 1, emittedAt: -1 }, { name: 'idx_novel_job_events_jobId_emittedAt' });
  event.index({ jobId: 1, kind: 1, emittedAt: -1 }, { name: 'idx_novel_job_events_kind_emittedAt' });
  event.pre('validate', function checkBody() {
    if (this.kind === 'job-status') {
      if (!this.status) return this.invalidate('status', 'a job-status event without status');
      const fault = faultOf(this.snapshot, SNAPSHOTS[this.status] ?? {}, 'snapshot');
      if (fault) this.invalidate('snapshot', fault);
    } else {
      const fault = faultOfEvent(this.event, this.kind, this.jobId, 'event');
      if (fault) return this.invalidate('event', fault);
      if (this.event.occurredAt !== this.emittedAt) this.invalidate('event', 'at another time');
    }
  });

  const breakdown = (...names) => ({
    type: part(Object.fromEntries(names.map((name) => [name, zero])), { strict: false }),
    required: true,
    validate: {
      // Whatever else is in a breakdown reaches the interface where it is a number only.
      validator: (value) => Object.values(value.toObject()).every((v) => typeof v === 'number'),
      message: 'holds something that is no number',
    },
  });
  const metrics = collection('novel_job_metrics', {
    jobId: text,
    cost: breakdown('totalUsd', 'analysisUsd', 'outlineUsd', 'chaptersUsd'),
    tokens: breakdown('total', 'analysis', 'outline', 'chapters'),
    latencyMs: breakdown('analysis', 'outline', 'chapters', 'total'),
    ...times,
  });
  metrics.index({ jobId: 1 }, { unique: true, name: 'idx_novel_job_metrics_jobId' });
  metrics.index({ updatedAt: -1 }, { name: 'idx_novel_job_metrics_updatedAt' });

  const alert = part({
    alertId: text,
    title: text,
    message: text,
    severity: { ...text, enum: ['info', 'warning', 'critical'] },
    createdAt: { ...iso, required: true },
    resolved: { type: Boolean, required: true },
    resolvedAt: iso,
    context: Mixed,
  });
  const decision = part({
    decisionId: text,
    type: { type: String, required: true },
    decidedAt: { ...iso, required: true },
    summary: String,
    confidence: Number,
    impact: String,
    metadata: Mixed,
  });
  const enhancement = part({
    enhancementId: text,
    createdAt: { ...iso, required: true },
    data: Mixed,
  });
  const metadata = collection('novel_job_metadata', {
    jobId: text,
    // No map of mongoose: that refuses keys such as `constructor`, which people may be called.
    storyBibleCharacters: { type: Mixed, required: true },
    storyBibleMetadata: Mixed,
    storyBibleLocations: Mixed,
    storyBibleThemes: { type: [String], required: true },
    continuityAlerts: { type: [alert], required: true, validate: newestFirst('createdAt') },
    aiDecisions: { type: [decision], required: true, validate: newestFirst('decidedAt') },
    enhancements: { type: [enhancement], required: true },
    performance: Mixed,
    ...times,
  });
  metadata.index({ jobId: 1 }, { unique: true, name: 'idx_novel_job_metadata_jobId' });
  metadata.index(
    { jobId: 1, 'continuityAlerts.resolved': 1 },
    { name: 'idx_novel_job_metadata_alert_resolution' },
  );

  metadata.pre('validate', function checkCharacters() {
    for (const [key, character] of Object.entries(this.storyBibleCharacters ?? {})) {
      const fault = faultOfCharacter(character, `storyBibleCharacters.${key}`);
      if (fault) this.invalidate('storyBibleCharacters', fault);
    }
  });

  return {
    Job: connection.model('NovelJob', job),
    Event: connection.model('NovelJobEvent', event),
    Metrics: connection.model('NovelJobMetrics', metrics),
    Metadata: connection.model('NovelJobMetadata', metadata),
  };
}
