// Reads every document of a target through mongoose models, as the new stack does, and tells by
// name what is lost, cast to something else, or against the schema.
//
//   node read.mjs --modules DIR [--mongoose PACKAGE] [--checksums FILE] URI
//
// DIR is where npm installed the packages. FILE is what `reshelve checksums --json` said of the
// same target. Standard output is one JSON document; the exit code is 1 where anything failed.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { differences, oddNumbers } from './compare.mjs';
import { declareModels } from './models.mjs';

/** Small, so that a job of ordinary size has several pages. */
const PAGE_EVENTS = 10;
/** The default of the new stack's list. */
const LIST_JOBS = 50;
/** Failures that are named; all are counted. */
const SHOWN_MAX = 100;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: 'string' },
    mongoose: { type: 'string', default: 'mongoose' },
    checksums: { type: 'string' },
  },
});
const [uri] = positionals;
if (!uri || !options.modules) {
  console.error('usage: node read.mjs --modules DIR [--mongoose PACKAGE] [--checksums FILE] URI');
  process.exit(2);
}
const require = createRequire(resolve(options.modules, 'package.json'));
const mongoose = require(options.mongoose);
const { BSON } = mongoose.mongo;

/** What is wrong with a document or a collection. */
const failures = { total: 0, shown: [] };
function fail(where, what) {
  failures.total += 1;
  if (failures.shown.length < SHOWN_MAX) failures.shown.push(`${where}: ${what}`);
}

/** Count, bytes and checksum of a collection, as `reshelve checksums` takes them. */
class Tally {
  documents = 0;
  bytes = 0;
  sum = 0n;

  add(bytes) {
    this.documents += 1;
    this.bytes += bytes.length;
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.sum = (this.sum + BigInt(`0x${hash}`)) % 2n ** 256n;
  }

  told() {
    const checksum = this.sum.toString(16).padStart(64, '0');
    return { documents: this.documents, bytes: this.bytes, checksum };
  }
}

/** The stored bytes of the documents of a job, by their `_id`, read past the models. */
async function stored(model, jobId, tally) {
  const found = new Map();
  for await (const bytes of model.collection.find({ jobId }, { raw: true })) {
    tally.add(bytes);
    found.set(String(BSON.deserialize(bytes)._id), bytes);
  }
  return found;
}

/** One document: hydrated already, with the bytes that it was hydrated from. */
async function check(document, bytes) {
  const where = `${document.collection.collectionName} ${document.jobId} ${document._id}`;
  if (!bytes) return fail(where, 'the model finds what the driver does not');
  const plain = BSON.deserialize(bytes);
  if (plain._id?._bsontype !== 'ObjectId') fail(where, '_id is no ObjectId');
  if ('__v' in plain) fail(where, 'it has __v');
  try {
    await document.validate();
  } catch (error) {
    fail(where, error.message);
  }
  const seen = document.toObject({ minimize: false, flattenMaps: true });
  const lost = differences(plain, seen);
  if (lost.length > 0) fail(where, lost.slice(0, 5).join('; '));
  const odd = oddNumbers(BSON.deserialize(bytes, { promoteValues: false }));
  if (odd.length > 0) fail(where, odd.slice(0, 5).join('; '));
}

/** The one document that a collection has of a job. */
async function checkOnly(model, jobId, tally) {
  const [bytes, found] = [await stored(model, jobId, tally), await model.find({ jobId })];
  if (bytes.size !== 1 || found.length !== 1) {
    fail(`${model.collection.collectionName} ${jobId}`, `${found.length} documents of a job`);
  }
  for (const document of found) await check(document, bytes.get(String(document._id)));
}

/** The events of a job in pages, newest first, each page before the last time of the one before. */
async function checkEvents(model, jobId, tally) {
  const bytes = await stored(model, jobId, tally);
  let before = null;
  let seen = 0;
  for (;;) {
    const filter = before === null ? { jobId } : { jobId, emittedAt: { $lt: before } };
    const page = await model.find(filter).sort({ emittedAt: -1 }).limit(PAGE_EVENTS);
    for (const event of page) {
      if (before !== null && !(event.emittedAt < before)) {
        fail(`novel_job_events ${jobId} ${event._id}`, `${event.emittedAt} is not before ${before}`);
      }
      before = event.emittedAt;
      await check(event, bytes.get(String(event._id)));
    }
    seen += page.length;
    if (page.length < PAGE_EVENTS) break;
  }
  // Events with the time of a page's end would be skipped by the cursor.
  if (seen !== bytes.size) {
    fail(`novel_job_events ${jobId}`, `${bytes.size} events are stored, the pages show ${seen}`);
  }
  if (seen === 0) fail(`novel_job_events ${jobId}`, 'a job without events');
}

/** The list of active jobs as the interface asks for it. */
async function checkList(model) {
  const active = { status: { $in: ['queued', 'running'] } };
  const list = await model.find(active).sort({ createdAt: -1 }).limit(LIST_JOBS);
  const wanted = Math.min(LIST_JOBS, await model.countDocuments(active));
  if (list.length !== wanted) fail('novel_jobs', `the list shows ${list.length} of ${wanted}`);
  list.forEach((job, n) => {
    if (n > 0 && list[n - 1].createdAt < job.createdAt) {
      fail(`novel_jobs ${job.jobId}`, 'the list is not newest first');
    }
  });
  return list.length;
}

async function checkIndexes(model) {
  const { toCreate, toDrop } = await model.diffIndexes();
  const where = model.collection.collectionName;
  if (toCreate.length > 0) fail(where, `the model misses indexes: ${JSON.stringify(toCreate)}`);
  if (toDrop.length > 0) fail(where, `the model does not know indexes: ${toDrop.join(', ')}`);
  // The migration of the new stack goes by names, which mongoose may not compare.
  const names = (await model.collection.indexes()).map(({ name }) => name);
  for (const [, { name }] of model.schema.indexes()) {
    if (!names.includes(name)) fail(where, `no index has the name ${name}`);
  }
}

async function main() {
  const connection = await mongoose
    .createConnection(uri, { autoIndex: false, autoCreate: false })
    .asPromise();
  const models = declareModels(mongoose, connection);
  const { Job, Event, Metrics, Metadata } = models;
  const tallies = new Map(Object.values(models).map((model) => [model, new Tally()]));
  for (const model of tallies.keys()) await checkIndexes(model);

  const jobIds = await Job.distinct('jobId');
  for (const jobId of jobIds) {
    await checkOnly(Job, jobId, tallies.get(Job));
    await checkEvents(Event, jobId, tallies.get(Event));
    await checkOnly(Metrics, jobId, tallies.get(Metrics));
    await checkOnly(Metadata, jobId, tallies.get(Metadata));
  }
  const listed = await checkList(Job);

  const collections = {};
  for (const [model, tally] of tallies) {
    const name = model.collection.collectionName;
    collections[name] = tally.told();
    const counted = await model.countDocuments({});
    // More than were met by way of the jobs: documents of no job.
    if (counted !== tally.documents) fail(name, `${counted} documents, ${tally.documents} of a job`);
  }
  if (options.checksums) {
    const expected = JSON.parse(readFileSync(options.checksums, 'utf8')).collections;
    for (const [name, told] of Object.entries(collections)) {
      const lost = differences(expected[name], told);
      if (lost.length > 0) fail(name, `not what reshelve checksums tells: ${lost.join('; ')}`);
    }
  }
  await connection.close();
  return { client: `mongoose ${mongoose.version}`, jobs: jobIds.length, listed, collections };
}

try {
  const told = await main();
  console.log(JSON.stringify({ ...told, failed: failures.total, failures: failures.shown }));
} catch (error) {
  fail('reading', error.stack ?? String(error));
  console.log(JSON.stringify({ failed: failures.total, failures: failures.shown }));
}
process.exit(failures.total > 0 ? 1 : 0);
