import assert from "node:assert/strict";
import { test } from "node:test";
import { download, history, isHubError, NetworkError, rows, upload, VERSION } from "@biotech-futures/hub-client";
import { clientOf, counting, team, thrown, world } from "./world.js";

test("a person signs in by the code that was mailed, and out", async () => {
  const hub = clientOf(null);
  const { email } = team("signing").ada;

  await hub.requestCode(email);
  const code: string = await (await fetch(`${world.desk}/code?to=${encodeURIComponent(email)}`)).json();
  const user = await hub.signIn({ email, code });
  const { data: me } = await hub.get("/api/users/me/");
  const { data: sessions } = await hub.get("/api/auth/sessions/");

  assert.equal(user.email, email);
  assert.deepEqual(me, user);
  assert.equal(sessions.results.find((session) => session.current)?.device, "hub-client");
  const again = await thrown(hub.signIn({ email, code }));
  assert.ok(isHubError(again, "invalid_credential"));
  await hub.signOut();
  assert.ok(isHubError(await thrown(hub.get("/api/users/me/")), "not_authenticated"));
});

test("a second code within half a minute is refused, with the seconds to wait", async () => {
  const hub = clientOf(null);
  const { email } = team("throttled").ada;
  await hub.requestCode(email);

  const error = await thrown(hub.requestCode(email));

  assert.ok(isHubError(error, "throttled"));
  assert.equal(error.status, 429);
  assert.ok(error.retryAfter !== null && error.retryAfter > 0 && error.retryAfter <= 30, String(error.retryAfter));
});

test("what is not valid is named by its field", async () => {
  const hub = clientOf(team("requests").ada);

  const error = await thrown(hub.patch("/api/users/me/", { body: { profile: { yearLevel: 99 } } }));

  assert.ok(isHubError(error, "validation_error"));
  assert.equal(error.status, 400);
  assert.match(error.fields.yearLevel?.[0] ?? "", /20/);
  assert.match(error.message, /yearLevel/);
  assert.match(error.requestId, /^[\w.-]{8,64}$/);
});

test("a field within a list of objects is named by its path", async () => {
  const { ada, group } = team("requests");
  const body = {
    attachments: [{ url: "javascript:alert(1)", filename: "a.pdf", size: 1, mimeType: "application/pdf" }],
  };

  const error = await thrown(
    clientOf(ada).post("/api/groups/{group_id}/messages", { params: { path: { group_id: group } }, body }),
  );

  assert.ok(isHubError(error, "validation_error"));
  assert.ok(
    Object.keys(error.fields).some((path) => path.startsWith("attachments")),
    JSON.stringify(error.fields),
  );
});

test("what is not there is a 404, and no token a 401", async () => {
  const missing = await thrown(
    clientOf(team("requests").ada).get("/api/groups/{id}/", { params: { path: { id: "NO" } } }),
  );
  const nobody = await thrown(clientOf(null).get("/api/users/me/"));

  assert.ok(isHubError(missing, "not_found") && missing.status === 404);
  assert.ok(isHubError(nobody, "not_authenticated") && nobody.status === 401);
  assert.ok(!isHubError(missing, "throttled"));
});

test("a server that is not there, and a caller who gives up, are no HubError", async () => {
  const away = await thrown(clientOf(null, { baseUrl: "http://127.0.0.1:9" }).get("/api/health/live/"));
  const givenUp = await thrown(clientOf(null).get("/api/health/live/", { signal: AbortSignal.abort() }));

  assert.ok(away instanceof NetworkError && away.cause instanceof Error);
  assert.equal((givenUp as Error).name, "AbortError");
});

test("an edit of what has changed meanwhile is a 412, and a copy that is good a 304", async () => {
  const hub = clientOf(team("etags").ada);
  const { response } = await hub.get("/api/users/me/");
  const tag = response.headers.get("ETag") ?? "";
  const change = (bio: string) =>
    hub.patch("/api/users/me/", { body: { profile: { bio } }, params: { header: { "If-Match": tag } } });

  const same = await thrown(hub.get("/api/users/me/", { params: { header: { "If-None-Match": tag } } }));
  const { data } = await change("First");
  const stale = await thrown(change("Second"));

  assert.ok(isHubError(same, "not_modified") && same.status === 304);
  assert.equal(data.profile.bio, "First");
  assert.ok(isHubError(stale, "precondition_failed") && stale.status === 412);
});

test("the same message twice is stored once", async () => {
  const { ada, group } = team("twice");
  const hub = clientOf(ada);
  const post = (text: string) =>
    hub.post("/api/groups/{group_id}/messages", {
      params: { path: { group_id: group } },
      body: { text, clientId: "one" },
    });

  const first = await post("Hello");
  const second = await post("Hello");
  const other = await thrown(post("Another"));

  assert.deepEqual([first.response.status, second.response.status], [201, 200]);
  assert.equal(first.data.id, second.data.id);
  assert.ok(isHubError(other, "client_id_reused"));
});

test("all rows of a list, and all messages of a conversation, come page by page", async () => {
  const admin = counting("/api/admin/users/");
  const people: string[] = [];
  const texts: string[] = [];

  const desk = clientOf(world.admin, { fetch: admin.fetch });
  for await (const person of rows(desk, "/api/admin/users/", { params: { query: { page_size: 10 } } })) {
    people.push(person.email);
  }
  const { ada, group } = team("long");
  for await (const message of history(clientOf(ada), group, { limit: 20 })) texts.push(message.text);

  const everybody = Object.values(world.teams).flatMap(({ ada, bo }) => [ada.email, bo.email]);
  assert.deepEqual([...people].sort(), [...everybody, world.admin.email].sort());
  assert.equal(admin.count, Math.ceil(people.length / 10));
  assert.deepEqual(
    texts,
    [...Array(45).keys()].map((number) => `Plate ${44 - number}`),
  );
});

test("a page that has gone meanwhile is the end of a list", async () => {
  const hub = clientOf(null);
  const { email } = team("signing").bo;
  await hub.requestCode(email);
  const code: string = await (await fetch(`${world.desk}/code?to=${encodeURIComponent(email)}`)).json();
  await hub.signIn({ email, code });
  const seen: string[] = [];

  for await (const { id, current } of rows(hub, "/api/auth/sessions/", { params: { query: { page_size: 1 } } })) {
    seen.push(String(current));
    const { data } = await hub.get("/api/auth/sessions/");
    for (const other of data.results) {
      if (other.id !== id) await hub.delete("/api/auth/sessions/{id}/", { params: { path: { id: other.id } } });
    }
  }

  assert.deepEqual(seen, ["true"]);
  const missing = rows(hub, "/api/groups/{group_id}/tasks/" as never, {
    params: { path: { group_id: "NO" } } as never,
  });
  assert.ok(isHubError(await thrown(missing.next()), "not_found"));
});

test("a file goes up, into a message, and down to somebody else", async () => {
  const { ada, bo, group } = team("files");
  const params = { path: { group_id: group } };

  const file = await upload(clientOf(ada), new Blob(["agar, plates"], { type: "text/plain" }), {
    filename: "list.txt",
  });
  await clientOf(ada).post("/api/groups/{group_id}/messages", { params, body: { attachments: [file] } });
  const { data } = await clientOf(bo).get("/api/groups/{group_id}/messages", { params });
  const attachment = data.messages[0]?.attachments[0];
  const got = await download(clientOf(bo), attachment?.file_url ?? "");

  assert.equal(file.filename, "list.txt");
  assert.equal(await got.text(), "agar, plates");
  assert.match(got.headers.get("Content-Disposition") ?? "", /list\.txt/);
  const page = new Blob(["<script>"], { type: "text/html" });
  assert.ok(isHubError(await thrown(upload(clientOf(ada), page, { filename: "a.html" })), "upload_refused"));
  const gone = await thrown(download(clientOf(bo), `${world.url}/media/gone/uploads/list.txt`));
  assert.ok(isHubError(gone) && gone.status === 404);
});

test("types know paths, bodies and answers", async () => {
  const hub = clientOf(team("requests").ada);

  // @ts-expect-error - no such path
  assert.ok(isHubError(await thrown(hub.get("/api/nowhere/")), "not_found"));
  // @ts-expect-error - a message is text
  assert.ok(isHubError(await thrown(hub.post("/api/auth/magic-link/", { body: { email: 7 } }))));
  // @ts-expect-error - a path without its id
  await thrown(hub.get("/api/groups/{id}/", {}));
  const { data } = await hub.get("/api/users/me/");
  // @ts-expect-error - no such key
  assert.equal(data.nickname, undefined);
  assert.match(VERSION, /^\d+\.\d+\.\d+$/);
});
