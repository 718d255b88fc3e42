// Proves that read.mjs can fail: spoils documents of a target, each in one way that a reader of the
// new stack would stumble over, lets read.mjs read the target, wants every one of them named and
// nothing else, and puts the documents right again.
//
//   node spoil.mjs --modules DIR [--mongoose PACKAGE] URI

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: 'string' },
    mongoose: { type: 'string', default: 'mongoose' },
  },
});
const [uri] = positionals;
const require = createRequire(resolve(options.modules, 'package.json'));
const { MongoClient, Double, Long } = require(options.mongoose).mongo;

const later = '2031-01-01T00:00:00.000Z';

/** Which document of a collection, what to change, and what has to be said of it. */
const WAYS = [
  ['novel_jobs', {}, { $set: { 'payload.title': 7 } }, /payload\.title: stored as number/],
  ['novel_jobs', {}, { $unset: { 'payload.genre': 1 } }, /`genre`.* required/],
  ['novel_jobs', {}, { $set: { status: 'cancelled' } }, /`cancelled` is not a valid enum/],
  ['novel_jobs', {}, { $set: { createdAt: later } }, /createdAt: stored as string, read as date/],
  ['novel_jobs', {}, { $set: { receivedAt: '2025-01-01T00:00:00Z' } }, /receivedAt/],
  ['novel_jobs', { 'outline.0': { $exists: true } }, { $unset: { 'outline.0.keyEvents': 1 } }, /keyEvents: not stored, read as array/],
  ['novel_jobs', { 'chapters.0': { $exists: true } }, { $set: { 'chapters.0.attempts': 3 } }, /attempts: stored as number, read as array/],
  ['novel_jobs', {}, { $set: { __v: 0 } }, /it has __v/],
  ['novel_jobs', {}, { $set: { 'payload.targetChapters': new Double(12) } }, /targetChapters: a Double for 12/],
  ['novel_job_events', { kind: 'job-status' }, { $unset: { snapshot: 1 } }, /snapshot is no object/],
  ['novel_job_events', { kind: 'generation' }, { $set: { 'event.occurredAt': later } }, /at another time/],
  ['novel_job_metrics', {}, { $unset: { 'cost.outlineUsd': 1 } }, /cost\.outlineUsd: not stored, read as number/],
  ['novel_job_metrics', {}, { $set: { 'tokens.total': Long.fromNumber(5) } }, /tokens\.total: a Long/],
  ['novel_job_metadata', {}, { $set: { 'storyBibleCharacters.Nobody': null } }, /Nobody is no object/],
  ['novel_job_metadata', {}, { $set: { 'storyBibleCharacters.Nobody': { name: '', traits: [], relationships: [] } } }, /Nobody\.name is no text/],
  ['novel_job_metadata', {}, { $set: { 'storyBibleCharacters.Nobody': { name: 'N', traits: [], relationships: [{ characterId: 'x' }] } } }, /relationships\.description is no text/],
  ['novel_job_metadata', {}, { $push: { storyBibleThemes: 5 } }, /storyBibleThemes\.\d+: stored as number, read as string/],
  ['novel_job_metadata', { 'continuityAlerts.0': { $exists: true } }, { $set: { 'continuityAlerts.0.message': '' } }, /`message` is required/],
];

async function main() {
  const client = await new MongoClient(uri).connect();
  const database = client.db();
  const spoiled = [];
  const expected = [];
  const taken = [];
  try {
    for (const [name, filter, change, said] of WAYS) {
      const collection = database.collection(name);
      // A job of its own for each, so that what is said cannot come from another one. Number types
      // have to survive until the document is put right.
      const wanted = { ...filter, jobId: { $nin: taken } };
      const whole = await collection.findOne(wanted, { promoteValues: false });
      if (!whole) throw new Error(`no document of ${name} to spoil: ${JSON.stringify(filter)}`);
      taken.push(whole.jobId);
      spoiled.push([collection, whole]);
      await collection.updateOne({ _id: whole._id }, change);
      expected.push([`${name} ${whole.jobId} ${whole._id}: `, said]);
    }
    // Two events of a job at one time: a page that ends between them loses one, else they are seen
    // not to decrease.
    const events = database.collection('novel_job_events');
    const [first, second] = await events
      .find({ jobId: { $nin: taken } }, { promoteValues: false, sort: { jobId: 1, emittedAt: 1 } })
      .limit(2)
      .toArray();
    spoiled.push([events, second]);
    await events.updateOne({ _id: second._id }, { $set: { emittedAt: first.emittedAt } });
    expected.push([`novel_job_events ${first.jobId}`, /is not before|the pages show/]);
    return { told: read(), expected };
  } finally {
    for (const [collection, whole] of spoiled) {
      await collection.replaceOne({ _id: whole._id }, whole);
    }
    await client.close();
  }
}

function read() {
  const script = fileURLToPath(new URL('read.mjs', import.meta.url));
  const args = [script, '--modules', options.modules, '--mongoose', options.mongoose, uri];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 1) throw new Error(`read.mjs ended with ${status}: ${stdout}${stderr}`);
  return JSON.parse(stdout);
}

const { told, expected } = await main();
const missed = expected.filter(
  ([where, said]) => !told.failures.some((line) => line.startsWith(where) && said.test(line)),
);
const strange = told.failures.filter((line) => !expected.some(([where]) => line.startsWith(where)));
for (const [where, said] of missed) console.error(`not found: ${where}${said}`);
for (const line of strange) console.error(`not spoiled: ${line}`);
if (missed.length > 0 || strange.length > 0) {
  console.error(JSON.stringify(told, null, 2));
  process.exit(1);
}
console.log(`${told.client} finds all ${expected.length} documents that were spoiled`);
