import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schemas, TokenPair } from "@biotech-futures/hub-client";
import { listen, lossy, network, opened } from "./listening.js";
import { clientOf, pending, team, until, world } from "./world.js";

test("what changed behind what one may not see is told as what it is: old messages are not new", async () => {
  const { ada, bo, group } = team("hidden");
  const path = { group_id: group };
  const post = async (text: string) =>
    (await clientOf(bo).post("/api/groups/{group_id}/messages", { params: { path }, body: { text } })).data.id;
  const change = (person: TokenPair, message_id: number, body: Schemas["PatchedMessageChangeRequest"]) =>
    clientOf(person).patch("/api/groups/{group_id}/messages/{message_id}", {
      params: { path: { ...path, message_id } },
      body,
    });
  const [rejected, lost, edited] = [await post("Plate 0"), await post("Plate 1"), await post("Plate 2")];
  await change(world.admin, rejected, { moderationStatus: "rejected" });
  const hers = listen(clientOf(ada), group, { webSocket: lossy(/Plate one/) });
  await opened(hers);

  await change(world.admin, rejected, { moderationNote: "Hidden" });
  await change(bo, lost, { text: "Plate one" });
  await change(bo, edited, { text: "Plate two" });
  await post("Plate 3");
  await until(() => hers.texts().length > 0, "told");

  const told = hers.events.map((event) => (event.type === "typing" || event.type === "read" ? "" : event.payload.text));
  assert.deepEqual(told.slice(-3), ["Plate one", "Plate two", "Plate 3"]);
  assert.deepEqual(
    hers.events.slice(-3).map(({ type }) => type),
    ["message.updated", "message.updated", "message.created"],
  );
  assert.deepEqual(hers.texts(), ["Plate 3"]);
});

/** fetch whose first filling of a gap waits until it is let go, and then fails where it is told to. */
function slow() {
  const { promise, resolve, reject } = pending();
  const counter = { count: 0, resolve, reject, fetch: ahead as typeof fetch };
  async function ahead(request: Request): Promise<Response> {
    if (!/messages\?.*after=/.test(request.url)) return fetch(request);
    counter.count += 1;
    const response = await fetch(request);
    const body = await response.text();
    if (counter.count === 1) await promise;
    return new Response(body, { status: response.status });
  }
  return counter;
}

test("who closes a conversation while a gap is filled hears no more of it", async () => {
  const { ada, bo, group } = team("closing");
  const filling = slow();
  const hers = listen(clientOf(ada, { fetch: filling.fetch }), group, { webSocket: lossy(/Plate 0/) });
  const his = listen(clientOf(bo), group);
  await opened(hers, his);

  for (const text of ["Plate 0", "Plate 1"]) await his.chat.send({ text });
  await until(() => filling.count === 1, "asked");
  hers.chat.close();
  filling.resolve();
  await new Promise((resolve) => setTimeout(resolve, 200));

  assert.deepEqual(hers.events, []);
});

test("a gap that an old connection could not fill leaves the new one alone", async () => {
  const { ada, bo, group } = team("stale");
  const [filling, between] = [slow(), await network()];
  const client = clientOf(ada, { fetch: filling.fetch, socketUrl: between.url });
  const hers = listen(client, group, { webSocket: lossy(/Plate 0/) });
  const his = listen(clientOf(bo), group);
  await opened(hers, his);

  await his.chat.send({ text: "Plate 0" });
  await his.chat.send({ text: "Plate 1" });
  await until(() => filling.count === 1, "asked");
  between.cut();
  await until(() => hers.statuses.filter(({ state }) => state === "open").length === 2, "open again");
  filling.reject(new TypeError("fetch failed"));
  await his.chat.send({ text: "Plate 2" });
  await until(() => hers.texts().includes("Plate 2"), "told");

  assert.equal(hers.statuses.filter(({ state }) => state === "waiting").length, 1);
});
