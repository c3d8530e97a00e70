/** What may go wrong, as types: the server refused, or it could not be reached. */

import type { components } from "./schema.js";

export type Refusal = components["schemas"]["Refusal"];

/** The slugs of the API that never change, and two of this client: `not_modified` (304), `unreadable` (no envelope). */
export type KnownCode = Refusal["code"] | "not_modified" | "unreadable";

/** A newer server may send a slug that this version does not know. */
export type HubErrorCode = KnownCode | (string & {});

const ENVELOPE = new Set(["error", "detail", "code", "requestId"]);

/** An answer of the server that is not 2xx. */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly status: number;
  readonly code: HubErrorCode;
  /** Sentences for each field that is not valid; a nested field by its path, such as `profile.yearLevel`. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** What support asks for. Empty where the answer came from something in front of the server. */
  readonly requestId: string;
  /** Seconds to wait before another try, or null. */
  readonly retryAfter: number | null;
  readonly response: Response;

  /** Take a response and its body as it was parsed. */
  constructor(response: Response, body: unknown) {
    const told = isObject(body) ? body : {};
    super(typeof told.error === "string" ? told.error : `The server answered ${response.status}.`);
    this.status = response.status;
    this.code = codeOf(response, told);
    this.fields = fieldsOf(told);
    this.requestId = response.headers.get("X-Request-ID") ?? textOf(told.requestId);
    this.retryAfter = secondsOf(response.headers.get("Retry-After"));
    this.response = response;
  }
}

/**
 * There is no answer of the server: no network, no such host, a connection that was cut, also within an answer, or a
 * 2xx that is no JSON, such as the page at which a network wants one to sign in. `cause` is what fetch said.
 */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
}

/** Tell whether this is a refusal; with codes, whether it is one of these. */
export function isHubError(error: unknown, ...codes: KnownCode[]): error is HubError {
  return error instanceof HubError && (codes.length === 0 || codes.some((code) => code === error.code));
}

/** Tell whether this is a refusal of the server itself, and not of something in front of it. */
export function isOurs(error: unknown): error is HubError {
  return error instanceof HubError && error.code !== "unreadable";
}

/** Tell whether the same request may succeed later: nobody answered, a budget was used up, or the server's fault. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof HubError) return error.status === 429 || error.status >= 500;
  return error instanceof NetworkError || (error instanceof Error && error.name === "TimeoutError");
}

/** How many milliseconds the server asked to wait, or 0. */
export function waitAskedMs(error: unknown): number {
  return error instanceof HubError ? (error.retryAfter ?? 0) * 1000 : 0;
}

function codeOf(response: Response, told: Record<string, unknown>): HubErrorCode {
  if (response.status === 304) return "not_modified";
  return typeof told.code === "string" ? told.code : "unreadable";
}

function fieldsOf(told: Record<string, unknown>, prefix = ""): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(told)) {
    if (!prefix && ENVELOPE.has(name)) continue;
    const path = prefix + name;
    if (Array.isArray(value) && value.every((line) => typeof line === "string")) found[path] = value;
    else if (isObject(value) || Array.isArray(value)) Object.assign(found, fieldsOf({ ...value }, `${path}.`));
  }
  return found;
}

function secondsOf(header: string | null): number | null {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
