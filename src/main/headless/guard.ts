/**
 * Which requests the local server answers at all, decided from their heads alone.
 * A loopback port is open to every page a browser shows (DNS rebinding, forged forms) and to every local user,
 * so each request must name this address, come from this page or from no page, and carry the key of this start.
 */
export type RequestHead = {
  readonly method: string;
  /** As it stands on the request line. */
  readonly target: string;
  readonly host: readonly string[];
  readonly origin: readonly string[];
  readonly contentType: readonly string[];
  readonly fetchSite: readonly string[];
  readonly fetchMode: readonly string[];
  readonly upgrade: boolean;
};

export type Route =
  | { readonly kind: 'api'; readonly method: string }
  | { readonly kind: 'events' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'health' }
  | { readonly kind: 'open'; readonly code: string }
  | { readonly kind: 'file'; readonly path: string };

export type Refusal = {
  readonly status: number;
  readonly reason: string;
  /** The methods that apply, for status 405. */
  readonly allow?: string;
};
export type Decision =
  | { readonly allowed: true; readonly route: Route; readonly needsKey: boolean }
  | { readonly allowed: false; readonly refusal: Refusal };

const refuse = (status: number, reason: string): Decision => ({ allowed: false, refusal: { status, reason } });

/** Decides everything but the key: `needsKey` says that the request must carry one. */
export function decide(head: RequestHead, port: number): Decision {
  const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`);
  const [host] = head.host;
  if (host === undefined || head.host.length > 1 || !hosts.includes(host.toLowerCase())) {
    return refuse(403, 'The Host is not this address.');
  }
  const [origin] = head.origin;
  if (head.origin.length > 1 || (origin !== undefined && origin !== `http://${host.toLowerCase()}`)) {
    return refuse(403, 'The Origin is another page.');
  }
  const route = routeOf(head.target);
  if (route === null) return refuse(400, 'The address is not of the expected form.');
  if (!mayComeFrom(head, route)) return refuse(403, 'The request comes from another site.');
  return decideForm(head, route);
}

/** Browsers say where a request starts. A link on another page may lead here, nothing else of it may. */
function mayComeFrom(head: RequestHead, route: Route): boolean {
  return head.fetchSite.every((site) => {
    if (site === 'same-origin' || site === 'none') return true;
    const leadsHere = route.kind === 'file' || route.kind === 'open';
    return leadsHere && head.method === 'GET' && head.fetchMode.length === 1 && head.fetchMode[0] === 'navigate';
  });
}

function decideForm(head: RequestHead, route: Route): Decision {
  if (head.upgrade !== (route.kind === 'events')) {
    return refuse(head.upgrade ? 404 : 426, 'Only /events is a WebSocket.');
  }
  const methods = methodsOf(route);
  if (!methods.includes(head.method)) {
    return {
      allowed: false,
      refusal: { status: 405, reason: 'The method does not apply here.', allow: methods.join(', ') },
    };
  }
  if (route.kind === 'api' && !isJson(head.contentType)) return refuse(415, 'The body must be application/json.');
  return { allowed: true, route, needsKey: route.kind === 'api' || route.kind === 'events' || route.kind === 'ping' };
}

function methodsOf(route: Route): readonly string[] {
  if (route.kind === 'api') return ['POST'];
  if (route.kind === 'file' || route.kind === 'health') return ['GET', 'HEAD'];
  return ['GET'];
}

function isJson(contentTypes: readonly string[]): boolean {
  const [type] = contentTypes;
  return contentTypes.length === 1 && type !== undefined && /^application\/json(?:\s*;\s*charset=utf-8)?$/i.test(type);
}

/** Where a target leads; null when it is not a plain path of this server. The query is not looked at. */
export function routeOf(target: string): Route | null {
  const path = decodePath(target.split('?', 1)[0] ?? '');
  if (path === null) return null;
  if (path === '/events') return { kind: 'events' };
  if (path === '/ping') return { kind: 'ping' };
  if (path === '/health') return { kind: 'health' };
  if (path.startsWith('/api/')) return { kind: 'api', method: path.slice('/api/'.length) };
  if (path.startsWith('/open/')) return { kind: 'open', code: path.slice('/open/'.length) };
  return { kind: 'file', path: path === '/' ? '/index.html' : path };
}

function decodePath(raw: string): string | null {
  if (!raw.startsWith('/') || raw.startsWith('//')) return null;
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    return null;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return null;
  return path.split('/').some((part) => part === '..' || part === '.') ? null : path;
}
