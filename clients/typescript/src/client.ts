/** The client: requests with types, tokens that renew themselves, refusals that are thrown. */

import createClient, { type FetchResponse, type MaybeOptionalInit } from "openapi-fetch";
import { HubError, NetworkError } from "./errors.js";
import type { components, paths } from "./schema.js";
import { unlessAborted } from "./signals.js";
import { memoryTokens, Session, type TokenPair, type TokenStore } from "./tokens.js";
import { VERSION } from "./version.js";

export type Schemas = components["schemas"];
type Method = "get" | "post" | "put" | "patch" | "delete";
type MediaType = `${string}/${string}`;

/** The paths that know a method. */
export type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

/** Parameters, body and fetch's own options of a request. */
export type InitOf<P extends keyof paths, M extends Method> = MaybeOptionalInit<paths[P], M>;

type Told<Operation, Init> =
  // biome-ignore lint/suspicious/noExplicitAny: the library's own bound
  Operation extends Record<string | number, any>
    ? Extract<FetchResponse<Operation, Init, MediaType>, { error?: never; response: Response }>
    : never;

/** What a request that succeeded answers: the body, and the response for its headers. */
export interface Answer<T> {
  data: T;
  response: Response;
}

/** An init that may be left out where nothing in it must be said. */
type InitArgument<Least, Init> = undefined extends Least ? [init?: Init] : [init: Init];

/** Ask for a path. Throws HubError where the answer is not 2xx, NetworkError where there is none. */
export type Call<M extends Method> = <P extends PathsOf<M>, Init extends InitOf<P, M>>(
  path: P,
  ...init: InitArgument<InitOf<P, M>, Init>
) => Promise<Answer<Exclude<Told<paths[P][M], Init>["data"], undefined>>>;

export interface HubClientOptions {
  /** The server's origin, such as `https://hub.example.org`; a final `/api` is cut off. */
  baseUrl: string;
  /** The sockets' origin where it is another: `wss://sockets.example.org`. */
  socketUrl?: string;
  /** Where tokens are kept; by default in memory. */
  tokens?: TokenStore;
  fetch?: typeof globalThis.fetch;
  /** How many milliseconds a request of the client's own, or a socket that opens, may take; 20 000 by default. */
  timeoutMs?: number;
  /** Called when the server has ended the session: let the person sign in again. */
  onSignedOut?: () => void;
}

interface Calls {
  readonly get: Call<"get">;
  readonly post: Call<"post">;
  readonly put: Call<"put">;
  readonly patch: Call<"patch">;
  readonly delete: Call<"delete">;
}

/** Requests as one person, who need not be signed in any more: then they are nobody's, and answered with 401. */
export interface Personal extends Calls {
  /** Return this person's access token, renewed where that is needed; null where they are signed in no more. */
  access(): Promise<string | null>;
}

export interface HubClient extends Calls {
  readonly session: Session;
  readonly timeoutMs: number;
  /** Return requests as the person who is signed in at this moment. */
  asNow(): Personal;
  /** Where sockets are, without a path. */
  readonly socketUrl: string;
  /** What goes with requests and handshakes of a program; nothing in a browser, which has its own. */
  readonly headers: Readonly<Record<string, string>>;
  /** fetch as this client does it, without a token: throws NetworkError. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Mail a link and a six-digit code. 429 `throttled` within half a minute. */
  requestCode(email: string): Promise<void>;
  /** Trade a mailed code, or a link's token, for a session. 400 `invalid_credential` where it is not good. */
  signIn(proof: { email: string; code: string } | { token: string }): Promise<Schemas["User"]>;
  /** End the session here at once, and at the server. */
  signOut(): Promise<void>;
}

/** Return a client of one server, for one person at a time. */
export function createHubClient(options: HubClientOptions): HubClient {
  const origin = options.baseUrl.replace(/\/+$/, "").replace(/\/api$/, "");
  const carry = carrier(options.fetch ?? ((request: RequestInfo | URL) => globalThis.fetch(request)));
  const headers = programHeaders();
  const common = { baseUrl: origin, headers, credentials: "include" as const };
  const timeoutMs = options.timeoutMs ?? 20_000;
  const api = createClient<paths>(common);
  const open = callsOf(api, carry);
  const session = new Session(
    options.tokens ?? memoryTokens(),
    (refresh) => traded(open, refresh, timeoutMs),
    options.onSignedOut ?? (() => {}),
  );
  return {
    ...callsOf(api, (request) => withToken(request, session, carry)),
    session,
    headers,
    timeoutMs,
    asNow() {
      const person = session.person();
      return {
        ...callsOf(api, async (request) => withToken(request, session, carry, await person)),
        access: async () => session.access(await person),
      };
    },
    fetch: carry,
    socketUrl: (options.socketUrl ?? origin.replace(/^http/, "ws")).replace(/\/+$/, ""),
    async requestCode(email) {
      await open.post("/api/auth/magic-link/", { body: { email } });
    },
    async signIn(proof) {
      const { data } = await ("token" in proof
        ? open.post("/api/auth/verify/", { body: proof })
        : open.post("/api/auth/verify-otp/", { body: proof }));
      await session.begin({ access: data.token, refresh: data.refresh_token });
      return data.user;
    },
    async signOut() {
      const pair = await session.drop();
      if (pair) await open.post("/api/auth/logout/", { body: { refresh_token: pair.refresh } });
    },
  };
}

/** Trade a refresh token. A token that is none must not take the place of one that is good. */
async function traded(open: Calls, refresh: string, timeoutMs: number): Promise<TokenPair> {
  const signal = AbortSignal.timeout(timeoutMs);
  let data: Partial<Schemas["TokenPair"]> | undefined;
  try {
    ({ data } = await open.post("/api/auth/refresh/", { body: { refresh_token: refresh }, signal }));
  } catch (error) {
    throw signal.aborted ? new NetworkError("The server does not answer in time.", { cause: error }) : error;
  }
  if (!data?.token || !data.refresh_token) throw new NetworkError("What answers is not the server.");
  return { access: data.token, refresh: data.refresh_token };
}

/**
 * Send a request with a token; where the server does not take that one, once more with the next of the same person.
 * Whoever gives up does not wait for tokens either.
 */
async function withToken(
  request: Request,
  session: Session,
  carry: HubClient["fetch"],
  person?: string | null,
): Promise<Response> {
  const { signal } = request;
  const access = await unlessAborted(session.access(person), signal);
  if (access === null) return carry(request);
  // A body can be read once. (A clone that nobody reads would keep Node 18 from ending.)
  const body = request.method === "GET" ? null : await request.arrayBuffer();
  const withAccess = (token: string) => {
    const headers = new Headers(request.headers);
    headers.set("Authorization", `Bearer ${token}`);
    return new Request(request, { headers, ...(body?.byteLength && { body }) });
  };
  const response = await carry(withAccess(access));
  if (response.status !== 401) return response;
  const pair = await unlessAborted(session.renew(access), signal);
  if (pair === null) return response;
  await response.body?.cancel();
  return carry(withAccess(pair.access));
}

function carrier(send: (request: Request) => Promise<Response>): HubClient["fetch"] {
  return async (request) => {
    try {
      return await send(request);
    } catch (error) {
      // The caller's own signal, or its time.
      if (request.signal.aborted) throw request.signal.reason;
      throw new NetworkError(`${new URL(request.url).host} does not answer.`, { cause: error });
    }
  };
}

function callsOf(client: ReturnType<typeof createClient<paths>>, send: HubClient["fetch"]): Calls {
  const call =
    (method: Method) =>
    async (path: string, init: { fetch?: HubClient["fetch"] } = {}): Promise<Answer<unknown>> => {
      const name = method.toUpperCase() as "GET";
      let answered: Request | undefined;
      const fetch = async (request: Request) => {
        const response = await (init.fetch ?? send)(request);
        answered = request;
        return response;
      };
      try {
        const { data, error, response } = await client[name](path as never, { ...init, fetch } as never);
        if (response.ok) return { data, response };
        throw new HubError(response, error);
      } catch (error) {
        throw answered === undefined || error instanceof HubError ? error : unread(answered, error);
      }
    };
  // The types are openapi-fetch's own; that refusals are thrown is all that is added.
  return {
    get: call("get") as unknown as Call<"get">,
    post: call("post") as unknown as Call<"post">,
    put: call("put") as unknown as Call<"put">,
    patch: call("patch") as unknown as Call<"patch">,
    delete: call("delete") as unknown as Call<"delete">,
  };
}

/** Return what it means that an answer has begun, and its body could not be read. */
function unread(request: Request, cause: unknown): unknown {
  if (request.signal.aborted) return request.signal.reason;
  return new NetworkError(`The answer of ${new URL(request.url).host} is cut, or no JSON.`, { cause });
}

/** A program says what it is: a ticket opens a socket of the same User-Agent alone. */
function programHeaders(): Record<string, string> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node === undefined ? {} : { "User-Agent": `hub-client/${VERSION}` };
}
