/** Files: to the server as a form, and back by the links in its documents. */

import type { HubClient, Schemas } from "./client.js";
import { HubError } from "./errors.js";

export interface UploadInit {
  /** Needed for a Blob, which has no name; a File's own by default. */
  filename?: string;
  /** Makes it safe to send the same file again for 24 hours. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** Store a file of one's own; what comes back is an attachment for `chat.send`. 400 `upload_refused` says why not. */
export async function upload(client: HubClient, file: Blob, init: UploadInit = {}): Promise<Schemas["Upload"]> {
  const { data } = await client.post("/api/uploads/", {
    // The document calls the bytes a string; a form takes them as they are.
    body: { file: "" },
    bodySerializer: () => formOf("file", file, init.filename),
    params: { header: init.idempotencyKey === undefined ? {} : { "Idempotency-Key": init.idempotencyKey } },
    ...(init.signal && { signal: init.signal }),
  });
  return data;
}

/** Return a form with one file, for operations such as `PUT /api/events/{id}/cover/`: give it as `bodySerializer`. */
export function formOf(name: string, file: Blob, filename?: string): FormData {
  const form = new FormData();
  const { name: own } = file as { name?: string };
  form.append(name, file, filename ?? own ?? "file");
  return form;
}

/** Fetch a file by its link (`url`, `file_url`, `coverImage`), which carries its own right. 404 where that has gone. */
export async function download(client: HubClient, url: string, signal?: AbortSignal): Promise<Response> {
  const response = await client.fetch(new Request(url, { headers: client.headers, ...(signal && { signal }) }));
  if (response.ok) return response;
  throw new HubError(response, await response.json().catch(() => null));
}
