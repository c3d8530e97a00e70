/** Where tokens are kept, and how they are renewed: once, however many requests need it. */

import { isOurs, isTemporary } from "./errors.js";
import { tell } from "./listeners.js";

export interface TokenPair {
  /** Goes with each request; good for an hour. */
  access: string;
  /** Is traded, once, for the next pair; good for seven days. */
  refresh: string;
}

type Awaitable<T> = T | Promise<T>;

/** Where a program keeps its tokens. Several clients, such as tabs of a browser, may share one. */
export interface TokenStore {
  get(): Awaitable<TokenPair | null>;
  set(pair: TokenPair): Awaitable<void>;
  clear(): Awaitable<void>;
}

/** Keep tokens in memory: they are gone with the page or the process. */
export function memoryTokens(first: TokenPair | null = null): TokenStore {
  let kept = first;
  return {
    get: () => kept,
    set: (pair) => {
      kept = pair;
    },
    clear: () => {
      kept = null;
    },
  };
}

/** Trades a refresh token; throws HubError and NetworkError. */
type Trade = (refresh: string) => Promise<TokenPair>;

const EARLY_MS = 30_000;
/** How the server refuses a refresh token for good. */
const ENDED: ReadonlySet<number> = new Set([400, 401]);

/** The tokens of one client. */
export class Session {
  /** By the access token that each replaces. */
  private readonly flights = new Map<string, Promise<TokenPair | null>>();
  private readonly endings = new Set<() => void>();
  /** How far the server's clock is ahead of ours; learnt from each new token. */
  private aheadMs = 0;

  constructor(
    private readonly store: TokenStore,
    private readonly trade: Trade,
    private readonly onSignedOut: () => void,
  ) {}

  /** Return who is signed in, as their tokens name them; null where nobody is. */
  async person(): Promise<string | null> {
    const pair = await this.store.get();
    return pair && personOf(pair.access);
  }

  /**
   * Return an access token, renewed where it ends within half a minute; null where nobody is signed in, or somebody
   * else than the one who is asked for.
   */
  async access(person?: string | null): Promise<string | null> {
    const pair = await this.store.get();
    if (pair === null || (person !== undefined && personOf(pair.access) !== person)) return null;
    const leftMs = this.leftMs(pair.access);
    if (leftMs > EARLY_MS) return pair.access;
    try {
      return (await this.renew(pair.access))?.access ?? null;
    } catch (error) {
      // It is early: what cannot be renewed at this moment is good for some seconds yet.
      if (leftMs > 0 && isTemporary(error)) return pair.access;
      throw error;
    }
  }

  /**
   * Return the pair that follows the one with this access token; null where the session has ended, which
   * `onSignedOut` is told, or is another person's by now. All callers at once share one request. Throws NetworkError,
   * and HubError where it is not the server that says so, or not for good; then nobody is signed out.
   */
  renew(stale: string): Promise<TokenPair | null> {
    const flight = this.flights.get(stale) ?? this.follow(stale).finally(() => this.flights.delete(stale));
    this.flights.set(stale, flight);
    return flight;
  }

  /** Let a listener know, once, that the person who is signed in is so no more; returns what takes it back. */
  onEnd(listener: () => void): () => void {
    this.endings.add(listener);
    return () => this.endings.delete(listener);
  }

  /** Begin a session; that of another person ends. */
  async begin(pair: TokenPair): Promise<void> {
    const person = await this.person();
    if (person !== null && person !== personOf(pair.access)) this.end();
    await this.keep(pair);
  }

  private async keep(pair: TokenPair): Promise<void> {
    const issuedAt = claimsOf(pair.access).iat;
    if (issuedAt !== undefined) this.aheadMs = issuedAt * 1000 - Date.now();
    await this.store.set(pair);
  }

  /** Forget the tokens, and return what they were. */
  async drop(): Promise<TokenPair | null> {
    this.end();
    const pair = await this.store.get();
    await this.store.clear();
    return pair;
  }

  private end(): void {
    const endings = [...this.endings];
    this.endings.clear();
    for (const listener of endings) listener();
  }

  private async follow(stale: string): Promise<TokenPair | null> {
    const pair = ofSamePerson(await this.store.get(), stale);
    if (pair === null || pair.access !== stale) return pair;
    const next = await this.next(pair.refresh);
    const now = await this.store.get();
    // Somebody signed out or in meanwhile, or another tab was quicker: theirs counts.
    if (now === null || now.refresh !== pair.refresh) return ofSamePerson(now, stale);
    if (next === null) {
      await this.store.clear();
      this.end();
      tell(this.onSignedOut);
    } else {
      await this.keep(next);
    }
    return next;
  }

  private async next(refresh: string): Promise<TokenPair | null> {
    try {
      return await this.trade(refresh);
    } catch (error) {
      // What stands in front of the server, such as the sign-in page of a network, knows nothing of sessions.
      if (isOurs(error) && ENDED.has(error.status)) return null;
      throw error;
    }
  }

  private leftMs(access: string): number {
    const { exp } = claimsOf(access);
    // The server decides about what is no token of its own.
    return exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000 - (Date.now() + this.aheadMs);
  }
}

interface Claims {
  exp?: number;
  iat?: number;
  user_id?: number | string;
}

/** Return whose token it is; an empty string where it does not say. */
function personOf(access: string): string {
  return String(claimsOf(access).user_id ?? "");
}

function ofSamePerson(pair: TokenPair | null, access: string): TokenPair | null {
  return pair !== null && personOf(pair.access) === personOf(access) ? pair : null;
}

/** Read what a JWT says (RFC 7519), unverified: empty where it is none. */
function claimsOf(token: string): Claims {
  try {
    const body = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { exp, iat, user_id } = JSON.parse(atob(body));
    return { ...(typeof exp === "number" && { exp }), ...(typeof iat === "number" && { iat }), user_id };
  } catch {
    return {};
  }
}
