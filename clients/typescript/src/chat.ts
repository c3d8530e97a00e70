/** A group's conversation as it happens: every change once, in order, over any number of connections. */

import type { HubClient, Schemas } from "./client.js";
import { type ConnectionStatus, type Frame, LiveSocket, type SocketConstructor } from "./live.js";
import { type Draft, Outbox } from "./outbox.js";

export type Message = Schemas["Message"];

/** A message as it is now. What one may no longer see is `message.deleted`: its place without its content. */
export interface MessageEvent {
  type: "message.created" | "message.updated" | "message.deleted";
  revision: number;
  payload: Message;
}

/** True for `expiresIn` seconds, and then no more. */
export interface TypingEvent {
  type: "typing";
  payload: { user: Schemas["Author"]; expiresIn: number };
}

/** How far somebody has read. Not repeated after a reconnect: `GET /api/groups/{group_id}/read` tells all. */
export interface ReadEvent {
  type: "read";
  payload: { user: Schemas["Author"]; seq: number; readAt: string };
}

export type ChatEvent = MessageEvent | TypingEvent | ReadEvent;

export interface ChatOptions {
  client: HubClient;
  groupId: string;
  /** The revision up to which one knows all, such as that of `GET …/messages`; left out: from now on. */
  after?: number;
  onEvent: (event: ChatEvent) => void;
  onStatus?: (status: ConnectionStatus) => void;
  /** In Node < 22: `import { WebSocket } from "ws"`. */
  webSocket?: SocketConstructor;
}

export interface Chat {
  /** Up to which revision all has been told: keep it to go on from there. Undefined before the first connection. */
  readonly revision: number | undefined;
  /**
   * Post a message, after those that were given before; resolves when it is stored. As long as nobody answers it is
   * sent again under the same `clientId`, also after a reconnect, and stored once. Rejects with HubError where it is
   * refused, and with ChatClosedError where the conversation is closed first.
   */
  send(draft: Draft): Promise<Message>;
  /** Tell the others that one is typing; they hear it at most once in two seconds. */
  typing(): void;
  close(): void;
}

/** Open a group's conversation. */
export function openChat(options: ChatOptions): Chat {
  return new Conversation(options);
}

class Conversation implements Chat {
  revision: number | undefined;
  /** Up to where the server tells by itself what was missed, since this connection was opened. */
  private replayed = 0;
  private asked = 0;
  private highestSeq = 0;
  private readonly live: LiveSocket;
  private readonly outbox: Outbox;
  /** Frames wait for each other: filling a gap takes a request. */
  private turn: Promise<void> = Promise.resolve();
  private connection = 0;

  constructor(private readonly options: ChatOptions) {
    this.revision = options.after;
    this.outbox = new Outbox(options.client, options.groupId);
    this.live = new LiveSocket({
      client: options.client,
      path: `/ws/chat/groups/${encodeURIComponent(options.groupId)}/`,
      query: () => this.query(),
      onFrame: (frame) => this.take(frame),
      onStatus: (status) => this.changed(status),
      webSocket: options.webSocket,
    });
  }

  private query(): Record<string, string> {
    this.asked = this.revision ?? 0;
    return this.revision === undefined ? {} : { after: String(this.revision) };
  }

  send(draft: Draft): Promise<Message> {
    return this.outbox.put(draft);
  }

  typing(): void {
    this.live.send({ action: "typing" });
  }

  close(): void {
    this.live.close();
  }

  private changed(status: ConnectionStatus): void {
    if (status.state === "connecting") this.connection += 1;
    if (status.state === "open") this.outbox.wake();
    if (status.state === "closed") this.outbox.close();
    this.options.onStatus?.(status);
  }

  private take(frame: Frame): void {
    const { connection } = this;
    this.turn = this.turn.then(async () => {
      if (connection !== this.connection) return; // the next one tells it again
      try {
        await this.follow(frame);
      } catch {
        this.live.drop();
        this.connection += 1;
      }
    });
  }

  private async follow(frame: Frame): Promise<void> {
    switch (frame.type) {
      case "connection.established":
        this.replayed = Number(frame.revision);
        // A server that was put back to an earlier day counts from there.
        if (this.revision === undefined || this.replayed < this.asked) this.revision = this.replayed;
        return;
      case "message.created":
      case "message.updated":
      case "message.deleted":
        await this.advance(frame as unknown as MessageEvent);
        return;
      case "typing":
      case "read":
        this.tell(frame as unknown as ChatEvent);
    }
  }

  /**
   * Tell a change that comes next. Where revisions lie between, something may have been missed: all since is read by
   * HTTP. (What this person may not see has a revision, too; then nothing comes of it.)
   */
  private async advance(event: MessageEvent): Promise<void> {
    const known = Math.max(this.revision ?? 0, this.replayed);
    if (event.revision > known + 1) await this.fill(known);
    this.pass(event);
  }

  private async fill(after: number): Promise<void> {
    for (let from = after, hasMore = true; hasMore; ) {
      const { data } = await this.options.client.get("/api/groups/{group_id}/messages", {
        params: { path: { group_id: this.options.groupId }, query: { after: from, limit: 100 } },
      });
      for (const payload of data.messages)
        this.pass({ type: this.kindOf(payload), revision: payload.revision, payload });
      hasMore = data.hasMore;
      from = data.revision;
    }
  }

  private kindOf(message: Message): MessageEvent["type"] {
    if (message.isDeleted) return "message.deleted";
    return message.seq > this.highestSeq ? "message.created" : "message.updated";
  }

  /** Tell an event, unless it has been told. */
  private pass(event: MessageEvent): void {
    if (event.revision <= (this.revision ?? 0)) return;
    this.revision = event.revision;
    this.highestSeq = Math.max(this.highestSeq, event.payload.seq);
    this.tell(event);
  }

  /** What a listener throws is its own, and stops nothing here. */
  private tell(event: ChatEvent): void {
    try {
      this.options.onEvent(event);
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  }
}
