/** Lists without their pages. */

import type { HubClient, Schemas } from "./client.js";
import { isHubError } from "./errors.js";
import type { paths } from "./schema.js";

type Listed<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": { results: (infer Row)[]; next?: unknown } } } } };
}
  ? Row
  : never;

/** The paths that answer a list page by page. */
export type ListPath = { [P in keyof paths]: [Listed<P>] extends [never] ? never : P }[keyof paths];

type ParametersOf<P extends ListPath> = paths[P] extends { get: { parameters: infer Parameters } } ? Parameters : never;

interface ListPage<P extends ListPath> {
  results: Listed<P>[];
  next: string | null;
}

export interface ListInit<P extends ListPath> {
  params?: { [Key in keyof ParametersOf<P>]?: ParametersOf<P>[Key] };
  signal?: AbortSignal;
}

/**
 * Walk over all rows of a list, page by page as they are needed. What is added or removed meanwhile moves the pages:
 * a row may then come twice, or not at all.
 */
export async function* rows<P extends ListPath>(
  client: HubClient,
  path: P,
  init: ListInit<P> = {},
): AsyncGenerator<Listed<P>, void, undefined> {
  const params: { query?: Record<string, unknown> } = init.params ?? {};
  for (let page = 1; ; page += 1) {
    const asked = { ...init, params: { ...params, query: { page_size: 100, ...params.query, page } } };
    let data: ListPage<P>;
    try {
      ({ data } = (await client.get(path as never, asked as never)) as unknown as { data: ListPage<P> });
    } catch (error) {
      if (page > 1 && isHubError(error, "not_found")) return; // the last page has gone meanwhile
      throw error;
    }
    yield* data.results;
    if (data.next === null) return;
  }
}

/** Walk over a conversation, the newest message first. */
export async function* history(
  client: HubClient,
  groupId: string,
  { signal, limit = 100 }: { signal?: AbortSignal; limit?: number } = {},
): AsyncGenerator<Schemas["Message"], void, undefined> {
  let before: string | undefined;
  for (;;) {
    const { data } = await client.get("/api/groups/{group_id}/messages", {
      params: { path: { group_id: groupId }, query: { limit, ...(before !== undefined && { before }) } },
      ...(signal && { signal }),
    });
    yield* data.messages;
    before = data.messages.at(-1)?.timestamp;
    if (!data.hasMore || before === undefined) return;
  }
}
