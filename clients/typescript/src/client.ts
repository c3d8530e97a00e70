/** The client: requests with types, tokens that renew themselves, refusals that are thrown. */

import createClient, { type FetchResponse, type MaybeOptionalInit } from "openapi-fetch";
import { HubError, NetworkError } from "./errors.js";
import type { components, paths } from "./schema.js";
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
  /** Called when the server has ended the session: let the person sign in again. */
  onSignedOut?: () => void;
}

export interface HubClient {
  readonly get: Call<"get">;
  readonly post: Call<"post">;
  readonly put: Call<"put">;
  readonly patch: Call<"patch">;
  readonly delete: Call<"delete">;
  readonly session: Session;
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
  const open = createClient<paths>({ ...common, fetch: carry });
  const session = new Session(
    options.tokens ?? memoryTokens(),
    async (refresh) => {
      const { data, error, response } = await open.POST("/api/auth/refresh/", { body: { refresh_token: refresh } });
      if (data === undefined) throw new HubError(response, error);
      return pairOf(data);
    },
    options.onSignedOut ?? (() => {}),
  );
  const closed = createClient<paths>({ ...common, fetch: (request) => withToken(request, session, carry) });
  return {
    ...callsOf(closed),
    session,
    headers,
    fetch: carry,
    socketUrl: (options.socketUrl ?? origin.replace(/^http/, "ws")).replace(/\/+$/, ""),
    async requestCode(email) {
      await callsOf(open).post("/api/auth/magic-link/", { body: { email } });
    },
    async signIn(proof) {
      const calls = callsOf(open);
      const { data } = await ("token" in proof
        ? calls.post("/api/auth/verify/", { body: proof })
        : calls.post("/api/auth/verify-otp/", { body: proof }));
      await session.keep(pairOf(data));
      return data.user;
    },
    async signOut() {
      const pair = await session.drop();
      if (pair) await callsOf(open).post("/api/auth/logout/", { body: { refresh_token: pair.refresh } });
    },
  };
}

/** Send a request with a token; where the server does not take that one, once more with the next. */
async function withToken(request: Request, session: Session, carry: HubClient["fetch"]): Promise<Response> {
  const access = await session.access();
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
  const pair = await session.renew(access);
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

function callsOf(client: ReturnType<typeof createClient<paths>>) {
  const call =
    (method: Method) =>
    async (path: string, init?: object): Promise<Answer<unknown>> => {
      const name = method.toUpperCase() as "GET";
      const { data, error, response } = await client[name](path as never, init as never);
      if (!response.ok) throw new HubError(response, error);
      return { data, response };
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

function pairOf(told: Schemas["TokenPair"]): TokenPair {
  return { access: told.token, refresh: told.refresh_token };
}

/** A program says what it is: a ticket opens a socket of the same User-Agent alone. */
function programHeaders(): Record<string, string> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node === undefined ? {} : { "User-Agent": `hub-client/${VERSION}` };
}
