import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ChatClosedError,
  type ConnectionStatus,
  type HubClient,
  history,
  isHubError,
  openChat,
  openNotifications,
} from "@biotech-futures/hub-client";
import { WebSocket } from "ws";
import { catching, ended, listen, lossy, network, open, opened } from "./listening.js";
import { clientOf, kept, team, thrown, until, world } from "./world.js";

const numbers = (count: number) => [...Array(count).keys()].map((number) => `Plate ${number}`);

async function stored(client: HubClient, group: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of history(client, group)) texts.unshift(text);
  return texts;
}

test("what one says reaches both, once, and so does that the other types and reads", async () => {
  const { ada, bo, group } = team("talk");
  const [hers, his] = [listen(clientOf(ada), group), listen(clientOf(bo), group)];
  await opened(hers, his);

  const message = await hers.chat.send({ text: "Hello" });
  hers.chat.typing();
  await until(() => his.events.length === 2 && hers.events.length === 1, "heard");
  await clientOf(ada).post("/api/groups/{group_id}/read", { params: { path: { group_id: group } } });
  await until(() => his.events.length === 3, "read");

  assert.deepEqual(
    his.events.map(({ type }) => type),
    ["message.created", "typing", "read"],
  );
  assert.deepEqual([...hers.texts(), ...his.texts()], ["Hello", "Hello"]);
  assert.equal(his.chat.revision, message.revision);
  assert.equal(typeof message.clientId, "string");
  hers.chat.close();
  his.chat.close();
  assert.deepEqual(his.statuses.at(-1), { state: "closed", reason: "done" });
});

test("twenty messages arrive in order, once, while the network is cut again and again", async () => {
  const { ada, bo, group } = team("cut");
  const between = await network();
  const hers = listen(clientOf(ada, { socketUrl: between.url }), group);
  await opened(hers);

  for (const text of numbers(20)) {
    const params = { path: { group_id: group } };
    await clientOf(bo).post("/api/groups/{group_id}/messages", { params, body: { text } });
    if (text.endsWith("5") || text.endsWith("1")) between.cut();
  }
  await until(() => hers.texts().length >= 20, "all there");

  assert.deepEqual(hers.texts(), numbers(20));
  assert.ok(hers.statuses.some((status) => status.state === "waiting" && status.code === 1006));
});

test("twenty messages arrive in order, once, while the server of the sockets is killed", async () => {
  const { ada, bo, group } = team("killed");
  const [hers, his] = [listen(clientOf(ada), group), listen(clientOf(bo), group)];
  await opened(hers, his);

  const sent = numbers(5).map((text) => his.chat.send({ text }));
  const restarted = fetch(`${world.desk}/restart`);
  sent.push(
    ...numbers(20)
      .slice(5)
      .map((text) => his.chat.send({ text })),
  );
  const messages = await Promise.all(sent);
  await restarted;
  await until(() => hers.texts().length >= 20 && his.texts().length >= 20, "all there");

  assert.deepEqual(hers.texts(), numbers(20));
  assert.deepEqual(his.texts(), numbers(20));
  assert.deepEqual(await stored(clientOf(ada), group), numbers(20));
  assert.equal(new Set(messages.map(({ id }) => id)).size, 20);
});

test("a conversation goes on from a revision that was kept, with what changed since", async () => {
  const { ada, bo, group } = team("after");
  const first = listen(clientOf(ada), group);
  await opened(first);
  await first.chat.send({ text: "Plate 0" });
  await until(() => first.events.length === 1, "heard");
  const after = first.chat.revision ?? 0;
  first.chat.close();

  const params = { path: { group_id: group } };
  const { data } = await clientOf(bo).post("/api/groups/{group_id}/messages", { params, body: { text: "Plate 1" } });
  const one = { path: { ...params.path, message_id: data.id } };
  await clientOf(bo).patch("/api/groups/{group_id}/messages/{message_id}", { params: one, body: { text: "Plate 2" } });
  const second = listen(clientOf(ada), group, { after });
  await until(() => second.events.length > 0, "told");

  assert.deepEqual(second.texts(), ["Plate 2"]);
});

test("an event that got lost is read by HTTP before the next is told", async () => {
  const { ada, bo, group } = team("gap");
  const hers = listen(clientOf(ada), group, { webSocket: lossy(/Plate [12]"/) });
  const his = listen(clientOf(bo), group);
  await opened(hers, his);

  for (const text of numbers(5)) await his.chat.send({ text });
  await until(() => hers.texts().length >= 5, "all there");

  assert.deepEqual(hers.texts(), numbers(5));
  assert.equal(hers.statuses.filter(({ state }) => state === "waiting").length, 0);
});

test("a listener that throws stops neither what is told nor that one comes back", async (context) => {
  const { ada, bo, group } = team("throwing");
  const between = await network();
  const caught = catching(context);
  let [told, openings] = [0, 0];
  const chat = openChat({
    client: clientOf(ada, { socketUrl: between.url }),
    groupId: group,
    onEvent: () => {
      told += 1;
      throw new Error("in an event");
    },
    onStatus: ({ state }) => {
      if (state === "open") openings += 1;
      throw new Error(`while ${state}`);
    },
    webSocket: WebSocket,
  });
  open.push(chat);
  await until(() => openings === 1, "open");

  between.cut();
  await until(() => openings === 2, "open again");
  const params = { path: { group_id: group } };
  await clientOf(bo).post("/api/groups/{group_id}/messages", { params, body: { text: "Plate 0" } });
  await until(() => told === 1 && caught.some((error) => String(error) === "Error: in an event"), "told");

  assert.ok(caught.some((error) => String(error) === "Error: while waiting"));
});

test("a message that is refused rejects, and the next is posted", async () => {
  const { ada, group } = team("refused");
  const hers = listen(clientOf(ada), group);

  const empty = thrown(hers.chat.send({ text: " " }));
  const next = hers.chat.send({ text: "Plate 0", clientId: "mine" });
  assert.ok(isHubError(await empty, "validation_error"));
  assert.equal((await next).clientId, "mine");
  hers.chat.close();
  const late = await thrown(hers.chat.send({ text: "Late", clientId: "late" }));

  assert.ok(late instanceof ChatClosedError && late.clientId === "late");
});

test("who may not be there, or is nowhere, is told why, once", async () => {
  const outsider = listen(clientOf(team("refused").bo), team("talk").group);
  const lost = listen(clientOf(team("refused").bo), "NOWHERE");
  const nobody = listen(clientOf(null), team("talk").group);

  await Promise.all([ended(outsider), ended(lost), ended(nobody)]);

  const reasons = [outsider, lost, nobody].map(({ statuses }) => statuses.at(-1));
  assert.deepEqual(
    reasons,
    ["forbidden", "not_found", "signed_out"].map((reason) => ({ state: "closed", reason })),
  );
});

test("a socket whose token ran out comes back with a new one; one whose session ended does not", async () => {
  const { ada, bo, group } = team("sessions");
  const store = kept({ access: ada.expired, refresh: ada.refresh });
  let told = 0;
  const hers = listen(clientOf(null, { tokens: store, onSignedOut: () => (told += 1) }), group);
  await opened(hers);
  const his = listen(clientOf(bo), group);
  await opened(his);

  const { pair } = store;
  await clientOf(pair).signOut();
  await ended(hers);

  assert.deepEqual(hers.statuses.at(-1), { state: "closed", reason: "signed_out" });
  assert.equal(told, 1);
  assert.equal(his.statuses.at(-1)?.state, "open");
});

test("what one is told of arrives in the inbox, once, and is marked as read there", async () => {
  const { ada } = team("inbox");
  const between = await network();
  const titles: string[] = [];
  const unread: number[] = [];
  const statuses: ConnectionStatus[] = [];
  const inbox = openNotifications({
    client: clientOf(ada, { socketUrl: between.url }),
    onNotice: ({ title }) => titles.push(title),
    onUnread: (count) => unread.push(count),
    onStatus: (status) => statuses.push(status),
    webSocket: WebSocket,
  });
  open.push(inbox);
  await until(() => statuses.at(-1)?.state === "open", "open");

  between.cut();
  const params = { path: { id: ada.id } };
  await clientOf(world.admin).put("/api/admin/users/{id}/status/", { params, body: { status: "active" } });
  await until(() => titles.length > 0 && statuses.at(-1)?.state === "open", "told");
  assert.ok(inbox.markRead());
  await until(() => unread.at(-1) === 0, "read");

  assert.equal(titles.length, 1);
  assert.ok(unread.includes(1));
});
