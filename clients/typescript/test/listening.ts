/** Conversations that a test listens to, and the networks between. */

import net from "node:net";
import { afterEach, type TestContext } from "node:test";
import {
  type Chat,
  type ChatEvent,
  type ChatOptions,
  type ConnectionStatus,
  type HubClient,
  type MessageEvent,
  openChat,
  type SocketConstructor,
  type SocketLike,
} from "@biotech-futures/hub-client";
import { WebSocket } from "ws";
import { until, world } from "./world.js";

/** What is still open when a test ends, however it does: it would keep the process. */
export const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

export interface Listener {
  chat: Chat;
  events: ChatEvent[];
  statuses: ConnectionStatus[];
  texts(): string[];
}

export function listen(client: HubClient, groupId: string, more: Partial<ChatOptions> = {}): Listener {
  const events: ChatEvent[] = [];
  const statuses: ConnectionStatus[] = [];
  const chat = openChat({
    client,
    groupId,
    onEvent: (event) => events.push(event),
    onStatus: (status) => statuses.push(status),
    webSocket: WebSocket,
    ...more,
  });
  open.push(chat);
  const created = () => events.filter((event): event is MessageEvent => event.type === "message.created");
  return { chat, events, statuses, texts: () => created().map(({ payload }) => payload.text) };
}

export const opened = (...listeners: Listener[]) =>
  until(() => listeners.every(({ statuses }) => statuses.some(({ state }) => state === "open")), "open");
export const ended = ({ statuses }: Listener) => until(() => statuses.at(-1)?.state === "closed", "closed");
/** A network between client and server that can be cut. */
export async function network() {
  const to = new URL(world.sockets);
  const ends = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(Number(to.port), to.hostname);
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      ends.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    close: () => {
      cut();
      server.close();
    },
  });
  const cut = () => {
    for (const end of ends) end.destroy();
    ends.clear();
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    cut,
  };
}

/** A socket that loses what matches. */
export function lossy(lost: RegExp): SocketConstructor {
  return class implements SocketLike {
    onmessage: ((event: unknown) => void) | null = null;
    onclose: ((event: unknown) => void) | null = null;
    onerror: ((event: unknown) => void) | null = null;
    private readonly inner: WebSocket;

    constructor(url: string, options: object) {
      this.inner = new WebSocket(url, options);
      this.inner.onmessage = (event) => {
        if (!lost.test(String(event.data))) this.onmessage?.(event);
      };
      this.inner.onclose = (event) => this.onclose?.(event);
      this.inner.onerror = () => {};
    }

    send(text: string): void {
      this.inner.send(text);
    }

    close(code?: number): void {
      this.inner.close(code);
    }
  };
}

/** Let timers catch what is thrown for the process to hear of, and return what that was. */
export function catching(context: TestContext): unknown[] {
  const caught: unknown[] = [];
  const { setTimeout } = globalThis;
  const later = (call: () => void, milliseconds?: number) => {
    const guarded = () => {
      try {
        call();
      } catch (error) {
        caught.push(error);
      }
    };
    return setTimeout(guarded, milliseconds);
  };
  context.mock.method(globalThis, "setTimeout", later as typeof setTimeout);
  return caught;
}
