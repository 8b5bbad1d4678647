/** Faults on order: which requests fail, how, and how often. Pure. */

export type Fault =
  /** Answered by the gateway, the server behind never hears of it. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection ends before the server behind hears of the request. */
  | { readonly kind: 'cut-before' }
  /** The server behind has answered (and committed); its answer never arrives. */
  | { readonly kind: 'cut-after' }
  /** Only the first half of the answer arrives, as if it were all. */
  | { readonly kind: 'truncate' }
  /** Half of the answer arrives, then the connection ends. */
  | { readonly kind: 'cut-within' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never answers. */
  | { readonly kind: 'hang' };

export type FaultOrder = {
  readonly fault: Fault;
  /** How many matching requests it meets; default 1. */
  readonly times?: number;
  /** How many matching requests pass before; default 0. */
  readonly skip?: number;
  readonly method?: string;
  /** What the path with its query contains, `/rest/v1/rpc/angles_push` say; default: every request. */
  readonly path?: string;
};

export type Faults = {
  readonly order: (order: FaultOrder) => void;
  readonly clear: () => void;
  /** The fault for this request, counted as used. */
  readonly take: (method: string, path: string) => Fault | null;
};

export function createFaults(): Faults {
  let orders: { order: FaultOrder; skip: number; left: number }[] = [];
  return {
    order: (order) => {
      orders.push({ order, skip: order.skip ?? 0, left: order.times ?? 1 });
    },
    clear: () => {
      orders = [];
    },
    take: (method, path) => {
      const found = orders.find(
        ({ order }) =>
          (order.method === undefined || order.method === method) &&
          (order.path === undefined || path.includes(order.path)),
      );
      if (found === undefined) return null;
      if (found.skip > 0) {
        found.skip -= 1;
        return null;
      }
      found.left -= 1;
      if (found.left === 0) orders = orders.filter((each) => each !== found);
      return found.order.fault;
    },
  };
}
