/** Where tokens are kept, and how they are renewed: once, however many requests need it. */

import { HubError, isTemporary } from "./errors.js";

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

/** The tokens of one client. */
export class Session {
  private flight: Promise<TokenPair | null> | null = null;
  /** How far the server's clock is ahead of ours; learnt from each new token. */
  private aheadMs = 0;

  constructor(
    private readonly store: TokenStore,
    private readonly trade: Trade,
    private readonly onSignedOut: () => void,
  ) {}

  /** Return an access token, renewed where it ends within half a minute; null where nobody is signed in. */
  async access(): Promise<string | null> {
    const pair = await this.store.get();
    if (pair === null) return null;
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
   * `onSignedOut` is told. All callers at once share one request. Throws NetworkError and HubError (429, 5xx), and
   * then nobody is signed out.
   */
  renew(stale: string): Promise<TokenPair | null> {
    this.flight ??= this.follow(stale).finally(() => {
      this.flight = null;
    });
    return this.flight;
  }

  async keep(pair: TokenPair): Promise<void> {
    const issuedAt = claimsOf(pair.access).iat;
    if (issuedAt !== undefined) this.aheadMs = issuedAt * 1000 - Date.now();
    await this.store.set(pair);
  }

  /** Forget the tokens, and return what they were. */
  async drop(): Promise<TokenPair | null> {
    const pair = await this.store.get();
    await this.store.clear();
    return pair;
  }

  private async follow(stale: string): Promise<TokenPair | null> {
    const pair = await this.store.get();
    if (pair === null || pair.access !== stale) return pair;
    const next = await this.next(pair.refresh);
    const now = await this.store.get();
    // Somebody signed out or in meanwhile, or another tab was quicker: theirs counts.
    if (now === null || now.refresh !== pair.refresh) return now;
    if (next === null) {
      await this.store.clear();
      this.onSignedOut();
    } else {
      await this.keep(next);
    }
    return next;
  }

  private async next(refresh: string): Promise<TokenPair | null> {
    try {
      return await this.trade(refresh);
    } catch (error) {
      if (error instanceof HubError && !isTemporary(error)) return null;
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
}

/** Read what a JWT says (RFC 7519), unverified: empty where it is none. */
function claimsOf(token: string): Claims {
  try {
    const body = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { exp, iat } = JSON.parse(atob(body));
    return { ...(typeof exp === "number" && { exp }), ...(typeof iat === "number" && { iat }) };
  } catch {
    return {};
  }
}
