/** One's inbox as it fills, over `/ws/notifications/`. */

import type { HubClient, Personal, Schemas } from "./client.js";
import { tell } from "./listeners.js";
import { type ConnectionStatus, type Frame, LiveSocket, type SocketConstructor } from "./live.js";

export type Notice = Schemas["Notice"];

export interface NotificationsOptions {
  client: HubClient;
  /** The id of a row after which one wants to be told: at most the newest 100. For more, read the list. */
  after?: number;
  /** Each row once. Ids may go back: rows come in the order in which they became visible. */
  onNotice: (notice: Notice) => void;
  /** How much is unread, each time it may have changed: the number on a badge. */
  onUnread?: (unread: number) => void;
  onStatus?: (status: ConnectionStatus) => void;
  /** In Node < 22: `import { WebSocket } from "ws"`. */
  webSocket?: SocketConstructor;
}

export interface Notifications {
  /** Mark rows as read, or all of them; false where there is no connection: use `POST /api/notifications/read/`. */
  markRead(ids?: readonly number[]): boolean;
  close(): void;
}

const REMEMBERED = 200;
const OVERLAP = 20;

/** Open one's inbox. */
export function openNotifications(options: NotificationsOptions): Notifications {
  const told = new Set<number>();
  const me = options.client.asNow();
  let start = options.after;
  // A row may become visible behind one with a higher id, so a new connection begins some rows back.
  const after = async () => {
    start ??= await newest(me, options.client.timeoutMs);
    const known = [...told].sort((one, other) => other - one);
    const oldest = known.slice(0, OVERLAP).at(-1) ?? start + 1;
    return { after: String(Math.max(oldest - 1, start)) };
  };
  const take = (frame: Frame) => {
    if (frame.type === "notification") {
      const notice = frame.payload as Notice;
      if (!told.has(notice.id)) {
        told.add(notice.id);
        for (const id of told) if (told.size > REMEMBERED) told.delete(id);
        tell(options.onNotice, notice);
      }
    }
    if (typeof frame.unread === "number") tell(options.onUnread, frame.unread);
  };
  const live = new LiveSocket({
    client: options.client,
    me,
    path: "/ws/notifications/",
    query: after,
    onFrame: take,
    onStatus: (status) => options.onStatus?.(status),
    webSocket: options.webSocket,
  });
  return {
    markRead: (ids) => live.send({ action: "mark_read", ...(ids && { ids }) }),
    close: () => live.close(),
  };
}

async function newest(me: Personal, timeoutMs: number): Promise<number> {
  const { data } = await me.get("/api/notifications/", {
    params: { query: { page_size: 1 } },
    signal: AbortSignal.timeout(timeoutMs),
  });
  return data.results[0]?.id ?? 0;
}
