import assert from "node:assert/strict";
import { test } from "node:test";
import { isHubError, NetworkError } from "@biotech-futures/hub-client";
import type { WebSocket } from "ws";
import { listen, opened } from "./listening.js";
import { cut, GROUP, html, inTurn, json, MESSAGES, message, REFRESH, silence, standIn, token } from "./standin.js";
import { kept, thrown, until } from "./world.js";

/** Long enough for an answer on a machine that runs other tests meanwhile. */
const soon = { timeoutMs: 1000 };
const ME = "GET /api/users/me/";
const old = () => ({ access: token(1, -60), refresh: "refresh" });
const refusal = (status: number) =>
  json({ error: "No.", detail: "No.", code: "token_not_valid", requestId: "r" }, status);
const frame = (type: string, seq: number, revision = seq) =>
  JSON.stringify({ type, revision, payload: message(seq, revision) });
const waits = (statuses: { state: string }[]) => statuses.filter(({ state }) => state === "waiting");

test("what stands in front of the server signs nobody out; its own word does", async () => {
  for (const answer of [...[401, 403, 404, 408, 200].map(html), refusal(403), json({}), cut]) {
    const store = kept(old());
    const hub = (await standIn({ [REFRESH]: answer })).client({ tokens: store, onSignedOut: () => assert.fail() });

    await thrown(hub.get("/api/users/me/"));

    assert.equal(store.pair?.refresh, "refresh");
  }
  for (const status of [400, 401]) {
    const store = kept(old());
    let told = 0;
    const server = await standIn({ [REFRESH]: refusal(status), [ME]: refusal(401) });
    const hub = server.client({ tokens: store, onSignedOut: () => (told += 1) });

    assert.ok(isHubError(await thrown(hub.get("/api/users/me/")), "token_not_valid"));
    assert.deepEqual([store.pair, told], [null, 1]);
  }
});

test("an answer that is cut, or is a page, is a NetworkError", async () => {
  const hub = (await standIn({ [ME]: inTurn(cut, html(200)) })).client();

  for (const said of [await thrown(hub.get("/api/users/me/")), await thrown(hub.get("/api/users/me/"))]) {
    assert.ok(said instanceof NetworkError && said.cause instanceof Error, String(said));
  }
});

test("a message whose answer is cut, or is a page, is sent until it is known to be stored", async () => {
  const server = await standIn({ [`POST ${MESSAGES}`]: inTurn(cut, html(200), json(message(1), 201)) });

  const { seq } = await listen(server.client(), GROUP).chat.send({ text: "Plate 1" });

  assert.equal(seq, 1);
});

test("a refresh that never ends is a NetworkError after a while, and does not hold who gives up", async () => {
  const server = await standIn({ [REFRESH]: silence });

  const late = await thrown(server.client({ tokens: kept(old()), ...soon }).get("/api/users/me/"));
  const patient = server.client({ tokens: kept(old()) });
  const givenUp = await thrown(patient.get("/api/users/me/", { signal: AbortSignal.timeout(50) }));

  assert.ok(late instanceof NetworkError, String(late));
  assert.equal((givenUp as Error).name, "TimeoutError");
});

test("a ticket that never comes, or a page in its place, is asked for again", async () => {
  const ticket = inTurn(silence, html(403), json({ ticket: "one" }));
  const hers = listen((await standIn({ "POST /api/ws/ticket/": ticket })).client(soon), GROUP);

  await opened(hers);

  assert.equal(waits(hers.statuses).length, 2);
});

test("a socket that opens and says nothing is given up", async () => {
  let count = 0;
  const server = await standIn({}, (socket) => {
    count += 1;
    if (count > 1) socket.send('{"type":"connection.established","revision":0}');
  });
  const hers = listen(server.client(soon), GROUP);

  await opened(hers);

  assert.equal(waits(hers.statuses).length, 1);
});

test("a gap that nobody fills is one for the next connection", async () => {
  let count = 0;
  const page = json({ messages: [], hasMore: false, revision: 0 });
  const server = await standIn({ [`GET ${MESSAGES}`]: inTurn(page, silence) }, (socket) => {
    count += 1;
    socket.send(`{"type":"connection.established","revision":${count > 1 ? 3 : 0}}`);
    socket.send(frame("message.created", 3));
  });
  const hers = listen(server.client(soon), GROUP);

  await until(() => hers.events.length > 0, "told");

  assert.deepEqual(hers.texts(), ["Plate 3"]);
  assert.equal(waits(hers.statuses).length, 1);
});

test("a page that is not seen, whose timers come late, keeps its socket; one that gets no pong does not", async (context) => {
  const beats: (() => void)[] = [];
  const { setInterval } = globalThis;
  const kept = (beat: () => void, milliseconds?: number) => {
    beats.push(beat);
    return setInterval(() => {}, milliseconds);
  };
  context.mock.method(globalThis, "setInterval", kept as typeof setInterval);
  let [isDeaf, pings, late] = [false, 0, 0];
  context.mock.method(Date, "now", () => performance.timeOrigin + performance.now() + late);
  const server = await standIn({}, (socket: WebSocket) => {
    socket.send('{"type":"connection.established","revision":0}');
    socket.on("message", () => {
      pings += 1;
      if (!isDeaf) socket.send('{"type":"pong"}', () => (pings += 1));
    });
  });
  const hers = listen(server.client(), GROUP);
  await opened(hers);
  const beat = async (upTo: number) => {
    late += 60_000;
    beats.at(-1)?.();
    await until(() => pings === upTo, "pinged");
    await new Promise((resolve) => setTimeout(resolve, 20));
  };

  await beat(2);
  await beat(4);
  assert.equal(waits(hers.statuses).length, 0);
  isDeaf = true;
  await beat(5);
  assert.equal(waits(hers.statuses).length, 0);
  beats.at(-1)?.();
  assert.equal(waits(hers.statuses).length, 1);
});

test("a server that restarts again and again is left alone for longer and longer", async (context) => {
  context.mock.method(Math, "random", () => 0);
  const server = await standIn({}, (socket) => socket.close(1012));
  const hers = listen(server.client(), GROUP);

  await until(() => waits(hers.statuses).length === 2, "twice");

  assert.deepEqual(waits(hers.statuses), [
    { state: "waiting", code: 1012, retryInMs: 0 },
    { state: "waiting", code: 1012, retryInMs: 2000 },
  ]);
});
