/** What the control plane gets to know of a worker's digests and errors, in parts. */

import type { DigestRecord, ErrorRecord } from '../../common/inspection.ts';
import { digestText } from '../../sql/digest-text.ts';
import type { CountedEntry } from './digest-sketch.ts';
import type { StatementStatistics } from './statement-statistics.ts';

/** Places that are looked at in one turn of the event loop: half a millisecond. */
const PART = 50;

/** @param reset they are counted anew from the moment of the first part. */
export function* digestParts(
  statistics: StatementStatistics,
  worker: number,
  reset: boolean,
): Generator<{ digests: DigestRecord[] }, void> {
  statistics.publish();
  const sketch = reset ? statistics.takeDigests() : statistics.digests;
  const { textBytes } = sketch.limits;
  for (let start = 0; start < sketch.end; start += PART) {
    const part: DigestRecord[] = [];
    for (let place = start; place < Math.min(start + PART, sketch.end); place++) {
      const entry = sketch.at(place);
      if (entry !== null && entry.count > 0) part.push(digestRecord(entry, worker, textBytes));
    }
    yield { digests: part };
  }
}

export function* errorParts(
  statistics: StatementStatistics,
  reset: boolean,
): Generator<{ errors: ErrorRecord[] }, void> {
  const { errors } = statistics;
  const records = errors.records();
  if (reset) errors.clear();
  for (let start = 0; start < records.length; start += PART)
    yield { errors: records.slice(start, start + PART) };
}

function digestRecord(entry: CountedEntry, worker: number, textBytes: number): DigestRecord {
  const { context, name, text, error, ...rest } = entry;
  const { schema, username, clientAddress } = context;
  return {
    worker,
    ...rest,
    schema,
    username,
    clientAddress,
    digest: name,
    digestText: digestText(text, textBytes),
    countError: error,
  };
}
