import { get } from 'node:http';

export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
}

/** One look at a URL on a connection of its own: of the processor `fetch` takes three times as much, and polls are many. */
export function probe(url: string, timeoutMs = 5000): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.once('error', reject);
  });
}
