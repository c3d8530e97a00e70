import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatClosedError, history, isHubError } from "@biotech-futures/hub-client";
import { ended, listen, opened } from "./listening.js";
import { clientOf, forged, kept, team, thrown, until } from "./world.js";

/** fetch of a device on which somebody else signs in once the first request that matches was answered. */
function handedOver(path: RegExp, hand: () => void, answer: (request: Request) => Promise<Response> = fetch) {
  let isDone = false;
  return (async (request: Request) => {
    if (isDone || !path.test(`${request.method} ${new URL(request.url).pathname}`)) return fetch(request);
    isDone = true;
    const response = await answer(request);
    hand();
    return response;
  }) as typeof fetch;
}

async function texts(name: string): Promise<string[]> {
  const { bo, group } = team(name);
  const found: string[] = [];
  for await (const { text } of history(clientOf(bo), group)) found.push(text);
  return found;
}

test("a request that was asked for by one person is not repeated as the next", async () => {
  const { ada, bo, group } = team("shared");
  const params = { path: { group_id: group } };
  for (const access of [forged(ada.access), ada.expired]) {
    const store = kept({ access, refresh: ada.refresh });
    const hand = () => {
      store.pair = bo;
    };
    const fetch = handedOver(access === ada.expired ? /refresh/ : /POST .*messages/, hand);
    const hub = clientOf(null, { tokens: store, fetch });

    const error = await thrown(hub.post("/api/groups/{group_id}/messages", { params, body: { text: "Ada's" } }));

    assert.ok(isHubError(error) && error.status === 401, String(error));
    assert.equal(store.pair, bo);
  }
  assert.deepEqual(await texts("shared"), []);
});

test("a message that waits is not sent as the next person, nor does a socket come back as them", async () => {
  const { ada, bo, group } = team("device");
  const store = kept(ada);
  const hand = () => {
    store.pair = bo;
  };
  const fetch = handedOver(/POST .*messages/, hand, async () => new Response("", { status: 503 }));
  const hers = listen(clientOf(null, { tokens: store, fetch }), group);
  await opened(hers);

  const error = await thrown(hers.chat.send({ text: "Ada's" }));
  await clientOf(ada).signOut();
  await ended(hers);

  assert.ok(isHubError(error) && error.status === 401, String(error));
  assert.deepEqual(hers.statuses.at(-1), { state: "closed", reason: "signed_out" });
  assert.deepEqual(await texts("device"), []);
});

test("who signs out closes their conversations, and what still waits there rejects", async () => {
  const { ada, group } = team("leaving");
  let asked = 0;
  const away = handedOver(
    /POST .*messages/,
    () => (asked += 1),
    async () => new Response("", { status: 503 }),
  );
  const hub = clientOf(ada, { fetch: away });
  const hers = listen(hub, group);
  await opened(hers);
  const sent = thrown(hers.chat.send({ text: "Ada's" }));
  await until(() => asked === 1, "asked");

  const signedOut = hub.signOut();

  assert.deepEqual(hers.statuses.at(-1), { state: "closed", reason: "signed_out" });
  assert.ok((await sent) instanceof ChatClosedError);
  await signedOut;
});

test("who signs in in another's place closes that one's conversations", async () => {
  const { ada, bo, group } = team("leaving");
  const hub = clientOf(bo);
  const his = listen(hub, group);
  await opened(his);

  await hub.session.begin(ada);

  assert.deepEqual(his.statuses.at(-1), { state: "closed", reason: "signed_out" });
});
