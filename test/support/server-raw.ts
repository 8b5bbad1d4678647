/** Raw requests: what a hostile program or an odd browser may put on the wire, byte for byte. */
import { connect } from 'node:net';

export type RawAnswer = {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
  readonly text: string;
};

/** Sends the text and reads until the other side closes, or (for an open WebSocket) the head is complete. */
export function sendRaw(port: number, text: string | Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let received = '';
    const finish = (): void => {
      socket.destroy();
      const [headers = '', ...rest] = received.split('\r\n\r\n');
      resolve({
        status: Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1] ?? 0),
        headers,
        body: rest.join('\r\n\r\n'),
        text: received,
      });
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (received.startsWith('HTTP/1.1 101') && received.includes('\r\n\r\n')) finish();
    });
    socket.on('end', finish);
    socket.on('error', (error) => (received === '' ? reject(error) : finish()));
  });
}

export function rawRequest(line: string, headers: readonly string[], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return `${[line, ...headers, ...length].join('\r\n')}\r\n\r\n${body}`;
}
