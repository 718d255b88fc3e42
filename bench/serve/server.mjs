// The read API over a live target with the libraries of the new stack: mongoose, express, and plain
// objects between them. It does what the application cannot do less of: the same queries, lean
// documents, the same fields. It validates nothing, and has no logging, no framework around it.
//
//   node server.mjs mongodb://HOST/DATABASE
import express from "express";
import mongoose from "mongoose";

const EVENTS_MAX = 250;
const JOBS_MAX = 50;
// Lean documents are not cast: what a model declares costs nothing here.
const model = (name) =>
  mongoose.model(name, new mongoose.Schema({}, { strict: false, versionKey: false }), name);
const [jobs, events, metrics] = ["novel_jobs", "novel_job_events", "novel_job_metrics"].map(model);

const progress = ({ outline, chapters, failures }) => {
  if (outline.length === 0 && chapters.length === 0) return null;
  const count = (status) => chapters.filter((chapter) => chapter.status === status).length;
  return {
    outlineComplete: outline.length > 0,
    chaptersCompleted: count("completed"),
    chaptersFailed: count("failed"),
    totalChapters: outline.length || chapters.length,
    hasFailures: count("failed") > 0 || failures.length > 0,
  };
};

const item = (job) => ({
  jobId: job.jobId,
  status: job.status,
  queue: job.queue,
  payload: job.payload,
  requestedAt: job.requestedAt ?? null,
  createdAt: job.createdAt.toISOString(),
  updatedAt: job.updatedAt.toISOString(),
  progress: progress(job),
  summary: job.summary ?? null,
  engine: job.engine ?? null,
});

const detail = (job) => ({
  ...item(job),
  outline: job.outline.map(({ chapterNumber, title, summary, keyEvents, wordTarget, humanLikeElements }) => ({
    chapterNumber,
    title,
    summary,
    keyEvents: [...keyEvents],
    ...(typeof wordTarget === "number" && { wordTarget }),
    ...(humanLikeElements && { humanLikeElements }),
  })),
  chapters: job.chapters.map(({ chapterNumber, title, status, wordCount, content, model, costInUsd, attempts }) => ({
    chapterNumber,
    title,
    status,
    wordCount: wordCount ?? null,
    content,
    model,
    costInUsd,
    attempts: attempts ?? [],
  })),
  events: job.events ?? [],
  domainEvents: job.domainEvents ?? [],
  context: job.context ?? {},
  failures: job.failures,
});

const event = ({ kind, jobId, emittedAt, event, status, snapshot }) =>
  kind === "job-status" ? { kind, jobId, emittedAt, status, snapshot: snapshot ?? null } : { kind, jobId, emittedAt, event };

await mongoose.connect(process.argv[2], { autoIndex: false, autoCreate: false });
const app = express();
app.get("/api/novel", async (request, response) => {
  const asked = request.query.status ?? ["queued", "running"];
  const status = { $in: [asked].flat() };
  const found = await jobs.find({ status }).sort({ createdAt: -1 }).limit(JOBS_MAX).lean();
  response.json({ items: found.map(item), count: found.length });
});
app.get("/api/novel/:jobId", async (request, response) => {
  const job = await jobs.findOne({ jobId: request.params.jobId }).lean();
  if (!job) return response.status(404).json({});
  return response.json(detail(job));
});
app.get("/api/novel/:jobId/events", async (request, response) => {
  const { jobId } = request.params;
  // The application reads the whole job to know that it is there.
  if (!(await jobs.findOne({ jobId }).lean())) return response.status(404).json({});
  const found = await events.find({ jobId }).sort({ emittedAt: -1 }).limit(EVENTS_MAX).lean();
  return response.json({ count: found.length, items: found.map(event) });
});
app.get("/api/novel/:jobId/metrics", async (request, response) => {
  const { jobId } = request.params;
  if (!(await jobs.findOne({ jobId }).lean())) return response.status(404).json({});
  const found = await metrics.findOne({ jobId }).lean();
  return response.json({ jobId, cost: found.cost, tokens: found.tokens, latencyMs: found.latencyMs, updatedAt: found.updatedAt });
});
const listener = app.listen(0, "127.0.0.1", () => {
  console.error(`listening on http://127.0.0.1:${listener.address().port}`);
});
