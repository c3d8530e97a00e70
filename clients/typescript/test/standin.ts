/** A server that does what no server should, for what only a bad network or a restart shows. */

import http from "node:http";
import type net from "node:net";
import { createHubClient, type HubClient, memoryTokens } from "@biotech-futures/hub-client";
import { type WebSocket, WebSocketServer } from "ws";
import { open } from "./listening.js";

type Route = (response: http.ServerResponse, url: URL) => void;
type ClientOptions = Partial<Parameters<typeof createHubClient>[0]>;

export const GROUP = "BTF001";
export const MESSAGES = `/api/groups/${GROUP}/messages`;
export const REFRESH = "POST /api/auth/refresh/";

/** Answer JSON. */
export const json =
  (body: object, status = 200): Route =>
  (response) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };

/** Answer what the sign-in page of a network, or a firewall, does. */
export const html =
  (status: number): Route =>
  (response) => {
    response
      .writeHead(status, { "Content-Type": "text/html" })
      .end("<!doctype html><title>Welcome to our Wi-Fi</title>");
  };

/** Begin to answer, and go away. */
export const cut: Route = (response) => {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
  response.write('{"id":', () => response.destroy());
};

/** Never answer. */
export const silence: Route = () => {};

/** One after the other; the last from then on. */
export const inTurn = (...routes: Route[]): Route => {
  let asked = 0;
  return (response, url) => routes[Math.min(asked++, routes.length - 1)]?.(response, url);
};

/** A message as the document has it, as far as these tests look. */
export const message = (seq: number, revision = seq) => ({
  id: seq,
  seq,
  revision,
  text: `Plate ${seq}`,
  isDeleted: false,
});

/** A token that says whose it is, and for how many seconds. */
export function token(person: number, seconds = 3600): string {
  const now = Math.floor(Date.now() / 1000);
  const told = JSON.stringify({ exp: now + seconds, iat: now, user_id: person });
  return `head.${Buffer.from(told).toString("base64url")}.tail`;
}

/** Start a server with an empty conversation, whose sockets say that they are open unless told otherwise. */
export async function standIn(
  routes: Record<string, Route>,
  onSocket: (socket: WebSocket) => void = (socket) => socket.send('{"type":"connection.established","revision":0}'),
): Promise<{ client: (more?: ClientOptions) => HubClient }> {
  const all: Record<string, Route> = {
    "POST /api/ws/ticket/": json({ ticket: "one" }),
    [`GET ${MESSAGES}`]: json({ messages: [], hasMore: false, revision: 0 }),
    ...routes,
  };
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    (all[`${request.method} ${url.pathname}`] ?? html(404))(response, url);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", onSocket);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.close();
    server.closeAllConnections();
  };
  open.push({ close });
  const baseUrl = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const tokens = () => memoryTokens({ access: token(1), refresh: "refresh" });
  return { client: (more) => createHubClient({ baseUrl, tokens: tokens(), ...more }) };
}
