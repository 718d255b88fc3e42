// What a document was when it was stored, and what it is behind a model.

/** Where the mapping copies parts of legacy documents: their numbers keep their types. */
const COPIED = [
  /^analysis$/,
  /^context\.analysis$/,
  /^modelUsage$/,
  /^qualityMetrics$/,
  /^outline\.\d+\.(humanLikeElements|characterFocus|plotAdvancement|genreElements)$/,
  /^storyBibleMetadata$/,
  /^aiDecisions\.\d+\.metadata\.alternatives$/,
];

function kindOf(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (typeof value !== 'object') return typeof value;
  return value._bsontype ?? 'object';
}

const names = (object) => Object.keys(object).filter((name) => object[name] !== undefined);
const below = (path, name) => (path === '' ? `${name}` : `${path}.${name}`);

/** Every place where a value is lost, new, or not what it was. The order of fields is no matter. */
export function differences(stored, seen, path = '') {
  const kind = kindOf(stored);
  if (kind !== kindOf(seen)) return [`${path}: stored as ${kind}, read as ${kindOf(seen)}`];
  switch (kind) {
    case 'array':
    case 'object': {
      const all = new Set([...names(stored), ...names(seen)]);
      const found = [];
      for (const name of all) {
        const here = below(path, name);
        if (seen[name] === undefined) found.push(`${here}: lost`);
        else if (stored[name] === undefined) found.push(`${here}: not stored, read as ${kindOf(seen[name])}`);
        else found.push(...differences(stored[name], seen[name], here));
      }
      return found;
    }
    case 'date':
      return stored.getTime() === seen.getTime() ? [] : [`${path}: another time`];
    case 'ObjectId':
      return stored.equals(seen) ? [] : [`${path}: another id`];
    case 'Binary':
      return Buffer.compare(stored.buffer, seen.buffer) === 0 ? [] : [`${path}: other bytes`];
    case 'null':
    case 'string':
    case 'number':
    case 'boolean':
      return Object.is(stored, seen) ? [] : [`${path}: another ${kind}`];
    default:
      return JSON.stringify(stored) === JSON.stringify(seen) ? [] : [`${path}: another ${kind}`];
  }
}

/** Numbers that a JavaScript driver would not have written with this type. */
export function oddNumbers(unpromoted, path = '') {
  if (COPIED.some((copied) => copied.test(path))) return [];
  const kind = kindOf(unpromoted);
  if (kind === 'Long' || kind === 'Decimal128') return [`${path}: a ${kind}`];
  if (kind === 'Double') {
    const value = unpromoted.value;
    const small = Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0);
    return small || value === -(2 ** 31) ? [`${path}: a Double for ${value}`] : [];
  }
  if (kind !== 'array' && kind !== 'object') return [];
  return names(unpromoted).flatMap((name) => oddNumbers(unpromoted[name], below(path, name)));
}
