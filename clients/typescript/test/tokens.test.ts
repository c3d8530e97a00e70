import assert from "node:assert/strict";
import { test } from "node:test";
import { isHubError, NetworkError } from "@biotech-futures/hub-client";
import { clientOf, counting, forged, kept, team, thrown } from "./world.js";

const REFRESH = "/api/auth/refresh/";

test("twenty requests at once with a token that ran out refresh once", async () => {
  const { ada } = team("expired");
  const refreshes = counting(REFRESH);
  const store = kept({ access: ada.expired, refresh: ada.refresh });
  const hub = clientOf(null, { tokens: store, fetch: refreshes.fetch });

  const answers = await Promise.all([...Array(20)].map(() => hub.get("/api/users/me/")));

  assert.deepEqual(new Set(answers.map(({ data }) => data.id)), new Set([ada.id]));
  assert.equal(refreshes.count, 1);
  assert.notEqual(store.pair?.refresh, ada.refresh);
});

test("twenty requests at once with a token that the server refuses are repeated once each", async () => {
  const { bo, group } = team("expired");
  const refreshes = counting(REFRESH);
  const posts = counting(`/api/groups/${group}/messages`, refreshes.fetch);
  const hub = clientOf({ access: forged(bo.access), refresh: bo.refresh }, { fetch: posts.fetch });
  const params = { path: { group_id: group } };
  const texts = [...Array(20).keys()].map((number) => `Plate ${number}`);

  const answers = await Promise.all(
    texts.map((text) => hub.post("/api/groups/{group_id}/messages", { params, body: { text } })),
  );

  // A body can be read once: the second request has its own.
  assert.deepEqual(
    answers.map(({ data }) => data.text),
    texts,
  );
  assert.deepEqual([refreshes.count, posts.count], [1, 40]);
});

test("a refresh token that another tab has just used still leads to the same session", async () => {
  const { ada } = team("tabs");
  const [one, other] = [kept({ ...ada, access: ada.expired }), kept({ ...ada, access: ada.expired })];

  await clientOf(null, { tokens: one }).get("/api/users/me/");
  await clientOf(null, { tokens: other }).get("/api/users/me/");

  assert.equal(one.pair?.refresh, other.pair?.refresh);
});

test("who was signed out elsewhere is told once, and has no tokens any more", async () => {
  const { bo } = team("tabs");
  const store = kept(bo);
  let told = 0;
  const hub = clientOf(null, { tokens: store, onSignedOut: () => (told += 1) });
  await clientOf(bo).signOut();

  const errors = await Promise.all([...Array(5)].map(() => thrown(hub.get("/api/users/me/"))));

  assert.ok(errors.every((error) => isHubError(error, "token_not_valid", "not_authenticated")));
  assert.equal(told, 1);
  assert.equal(store.pair, null);
});

test("a refresh that nobody answers signs nobody out", async () => {
  const { ada } = team("offline");
  const store = kept({ access: ada.expired, refresh: ada.refresh });
  const hub = clientOf(null, { tokens: store, baseUrl: "http://127.0.0.1:9", onSignedOut: () => assert.fail() });

  const error = await thrown(hub.get("/api/users/me/"));

  assert.ok(error instanceof NetworkError);
  assert.equal(store.pair?.refresh, ada.refresh);
});

test("whoever signs out while a refresh is under way stays signed out", async () => {
  const { bo } = team("offline");
  const store = kept({ access: bo.expired, refresh: bo.refresh });
  const hub = clientOf(null, { tokens: store });

  const asking = thrown(hub.get("/api/users/me/"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  await hub.signOut();

  assert.ok(isHubError(await asking, "not_authenticated", "token_not_valid"));
  assert.equal(store.pair, null);
});

test("a clock that is a day ahead costs one refresh, and not one for each request", async (context) => {
  const { ada } = team("clock");
  const refreshes = counting(REFRESH);
  const hub = clientOf(ada, { fetch: refreshes.fetch });
  context.mock.method(Date, "now", () => performance.timeOrigin + performance.now() + 86_400_000);

  for (let number = 0; number < 5; number += 1) await hub.get("/api/users/me/");

  assert.equal(refreshes.count, 1);
});
