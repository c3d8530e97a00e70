/** The people and servers that these tests meet: btf_backend/tests/test_typescript_client.py starts them. */

import {
  createHubClient,
  type HubClient,
  memoryTokens,
  type TokenPair,
  type TokenStore,
} from "@biotech-futures/hub-client";

export interface Person extends TokenPair {
  id: number;
  email: string;
  /** An access token of the same session that has run out. */
  expired: string;
}

export interface Team {
  group: string;
  ada: Person;
  bo: Person;
}

interface World {
  url: string;
  sockets: string;
  /** Who reads mail and kills servers for us. */
  desk: string;
  admin: Person;
  teams: Record<string, Team>;
}

const { HUB_WORLD } = process.env;
if (HUB_WORLD === undefined)
  throw new Error("There is no server: run `scripts/test.sh btf_backend.tests.test_typescript_client`.");
export const world: World = JSON.parse(HUB_WORLD);

/** Return a team that no other test has. */
export function team(name: string): Team {
  const found = world.teams[name];
  if (found === undefined) throw new Error(`There is no team ${name}.`);
  return found;
}

export function clientOf(pair: TokenPair | null, more: Partial<Parameters<typeof createHubClient>[0]> = {}): HubClient {
  return createHubClient({ baseUrl: world.url, socketUrl: world.sockets, tokens: memoryTokens(pair), ...more });
}

/** fetch that counts what is sent to a path, and sends it on. */
export function counting(path: string, send: typeof fetch = fetch) {
  const counter = {
    count: 0,
    fetch: ((request: Request) => {
      if (new URL(request.url).pathname === path) counter.count += 1;
      return send(request);
    }) as typeof globalThis.fetch,
  };
  return counter;
}

/** A token whose signature is nobody's: the server alone can tell. */
export const forged = (token: string) => token.replace(/\.[^.]*$/, `.${"A".repeat(43)}`);

/** A store, and what is in it. */
export function kept(pair: TokenPair | null): TokenStore & { pair: TokenPair | null } {
  const store = {
    pair,
    get: () => store.pair,
    set: (next: TokenPair) => {
      store.pair = next;
    },
    clear: () => {
      store.pair = null;
    },
  };
  return store;
}

/** A promise, and what settles it. */
export function pending() {
  let [resolve, reject] = [() => {}, (_: unknown) => {}];
  const promise = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

/** Wait until something is so. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 30_000; !isSo(); ) {
    if (Date.now() > end) throw new Error(`It never was so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Return what was thrown. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}
