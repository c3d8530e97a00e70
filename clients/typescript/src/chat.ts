/** A group's conversation as it happens: every change once, in order, over any number of connections. */

import type { HubClient, Personal, Schemas } from "./client.js";
import { tell } from "./listeners.js";
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
  /** The revision up to which one knows all, such as that of `GET …/messages`; left out: from now on, what one sends included. */
  after?: number;
  onEvent: (event: ChatEvent) => void;
  onStatus?: (status: ConnectionStatus) => void;
  /** In Node < 22: `import { WebSocket } from "ws"`. */
  webSocket?: SocketConstructor;
}

export interface Chat {
  /** Up to which revision all has been told: keep it to go on from there. Undefined until the server was asked. */
  readonly revision: number | undefined;
  /**
   * Post a message, after those that were given before; resolves when it is stored. As long as nobody answers it is
   * sent again under the same `clientId`, also after a reconnect, and stored once. Rejects with HubError where it is
   * refused, and with ChatClosedError where the conversation is closed first, also because one signs out.
   */
  send(draft: Draft): Promise<Message>;
  /** Tell the others that one is typing; they hear it at most once in two seconds. */
  typing(): void;
  close(): void;
}

/** Open a group's conversation, as the person who is signed in: it closes when they are so no more. */
export function openChat(options: ChatOptions): Chat {
  return new Conversation(options);
}

/** Tell whether a connection is another's, or none, by now. */
type IsOver = () => boolean;

class Conversation implements Chat {
  revision: number | undefined;
  /** Up to where the server tells by itself what was missed, since this connection was opened. */
  private replayed = 0;
  private asked = 0;
  /** The place of the newest message up to `replayed`, then of the newest that was told; undefined: not known yet. */
  private highestSeq: number | undefined;
  private readonly me: Personal;
  private readonly live: LiveSocket;
  private readonly outbox: Outbox;
  /** Frames wait for each other: filling a gap takes a request. */
  private turn: Promise<void> = Promise.resolve();
  private connection = 0;

  constructor(private readonly options: ChatOptions) {
    this.revision = options.after;
    this.me = options.client.asNow();
    this.outbox = new Outbox(this.me, options.groupId, options.client.timeoutMs);
    this.live = new LiveSocket({
      client: options.client,
      me: this.me,
      path: `/ws/chat/groups/${encodeURIComponent(options.groupId)}/`,
      query: () => this.query(),
      onFrame: (frame) => this.take(frame),
      onStatus: (status) => this.changed(status),
      webSocket: options.webSocket,
    });
  }

  /** "From now on" begins before the first message of one's own is posted, and not when the socket is open. */
  private async query(): Promise<Record<string, string>> {
    if (this.highestSeq === undefined) {
      const { revision, seq } = await this.newest();
      this.revision ??= revision;
      this.highestSeq = seq;
      this.outbox.start();
    }
    this.asked = this.revision ?? 0;
    return { after: String(this.asked) };
  }

  /** Ask how far the conversation is. */
  private async newest(): Promise<{ revision: number; seq: number }> {
    const { messages, revision } = await this.read({ limit: 1 });
    const [newest] = messages;
    if (newest === undefined) return { revision, seq: 0 };
    // The revision is read first: a newer message is still to be told.
    return { revision, seq: newest.revision > revision ? newest.seq - 1 : newest.seq };
  }

  private async read(query: { after?: number; limit: number }): Promise<Schemas["History"]> {
    const { data } = await this.me.get("/api/groups/{group_id}/messages", {
      params: { path: { group_id: this.options.groupId }, query },
      signal: AbortSignal.timeout(this.options.client.timeoutMs),
    });
    return data;
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
    if (status.state === "connecting" || status.state === "closed") {
      this.connection += 1;
      this.turn = Promise.resolve(); // what an old one still waits for holds up nothing
    }
    if (status.state === "open") this.outbox.wake();
    if (status.state === "closed") this.outbox.close();
    this.options.onStatus?.(status);
  }

  private take(frame: Frame): void {
    const { connection } = this;
    const isOver: IsOver = () => connection !== this.connection;
    this.turn = this.turn.then(async () => {
      if (isOver()) return; // the next one tells it again
      try {
        await this.follow(frame, isOver);
      } catch {
        if (isOver()) return;
        this.connection += 1;
        this.live.drop();
      }
    });
  }

  private async follow(frame: Frame, isOver: IsOver): Promise<void> {
    switch (frame.type) {
      case "connection.established":
        this.replayed = Number(frame.revision);
        if (this.replayed < this.asked) await this.goBack(isOver);
        return;
      case "message.created":
      case "message.updated":
      case "message.deleted":
        await this.advance(frame as unknown as MessageEvent, isOver);
        return;
      case "typing":
      case "read":
        tell(this.options.onEvent, frame as unknown as ChatEvent);
    }
  }

  /** A server that was put back to an earlier day counts from there. */
  private async goBack(isOver: IsOver): Promise<void> {
    const { seq } = await this.newest();
    if (isOver()) return;
    this.revision = this.replayed;
    this.highestSeq = seq;
  }

  /**
   * Tell a change that comes next. Where revisions lie between, something may have been missed: all since is read by
   * HTTP. (What this person may not see has a revision, too; then nothing comes of it.)
   */
  private async advance(event: MessageEvent, isOver: IsOver): Promise<void> {
    const known = Math.max(this.revision ?? 0, this.replayed);
    if (event.revision > known + 1) await this.fill(known, event.revision, isOver);
    if (!isOver()) this.pass(event);
  }

  /** Tell what lies between two revisions. The second, and what comes after it, has a frame, which knows its kind. */
  private async fill(after: number, before: number, isOver: IsOver): Promise<void> {
    for (let from = after, hasMore = true; hasMore && from + 1 < before; ) {
      const page = await this.read({ after: from, limit: 100 });
      for (const payload of page.messages) {
        if (isOver()) return;
        if (payload.revision < before) this.pass({ type: this.kindOf(payload), revision: payload.revision, payload });
      }
      hasMore = page.hasMore;
      from = page.revision;
    }
  }

  private kindOf(message: Message): MessageEvent["type"] {
    if (message.isDeleted) return "message.deleted";
    return message.seq > (this.highestSeq ?? 0) ? "message.created" : "message.updated";
  }

  /** Tell an event, unless it has been told. */
  private pass(event: MessageEvent): void {
    if (event.revision <= (this.revision ?? 0)) return;
    this.revision = event.revision;
    this.highestSeq = Math.max(this.highestSeq ?? 0, event.payload.seq);
    tell(this.options.onEvent, event);
  }
}
