/** Messages on their way: one after the other, each until it is stored or refused. */

import { delayMs, Pause } from "./backoff.js";
import type { Personal, Schemas } from "./client.js";
import { isTemporary, waitAskedMs } from "./errors.js";

type Message = Schemas["Message"];

/** A message to post: a text, files, or both. */
export type Draft = Schemas["NewMessageRequest"];

/** The conversation was closed before the server said that the message is stored: it may be, or not. */
export class ChatClosedError extends Error {
  override readonly name = "ChatClosedError";

  /** Take the name under which it may be sent again, without coming twice. */
  constructor(readonly clientId: string) {
    super("The conversation was closed before the message was acknowledged.");
  }
}

interface Waiting {
  draft: Draft & { clientId: string };
  resolve: (message: Message) => void;
  reject: (error: unknown) => void;
}

/** Posts as one person, from when it is told to `start`. */
export class Outbox {
  private readonly waiting: Waiting[] = [];
  private readonly pause = new Pause();
  private isAtWork = false;
  private isStarted = false;
  private isClosed = false;

  constructor(
    private readonly me: Personal,
    private readonly groupId: string,
    private readonly timeoutMs: number,
  ) {}

  put(draft: Draft): Promise<Message> {
    const named = { ...draft, clientId: draft.clientId || newName() };
    if (this.isClosed) return Promise.reject(new ChatClosedError(named.clientId));
    const stored = new Promise<Message>((resolve, reject) => {
      this.waiting.push({ draft: named, resolve, reject });
    });
    void this.work();
    return stored;
  }

  start(): void {
    this.isStarted = true;
    void this.work();
  }

  /** Try at once: there is a connection again. */
  wake(): void {
    this.pause.wake();
  }

  close(): void {
    this.isClosed = true;
    this.pause.wake();
    for (const { draft, reject } of this.waiting.splice(0)) reject(new ChatClosedError(draft.clientId));
  }

  private async work(): Promise<void> {
    if (this.isAtWork || !this.isStarted) return;
    this.isAtWork = true;
    let attempt = 0;
    for (let head = this.waiting[0]; head !== undefined; head = this.waiting[0]) {
      try {
        head.resolve(await this.post(head.draft));
      } catch (error) {
        if (isTemporary(error) && !this.isClosed) {
          await this.pause.wait(waitAskedMs(error) || delayMs(attempt));
          attempt += 1;
          continue;
        }
        head.reject(error);
      }
      attempt = 0;
      if (this.waiting[0] === head) this.waiting.shift();
    }
    this.isAtWork = false;
  }

  private async post(draft: Waiting["draft"]): Promise<Message> {
    const { data } = await this.me.post("/api/groups/{group_id}/messages", {
      params: { path: { group_id: this.groupId } },
      body: draft,
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    return data;
  }
}

/** Return a name that no other message of this person has. No secret: chance need not be cryptographic. */
function newName(): string {
  const word = () => Math.random().toString(36).slice(2);
  return `${Date.now().toString(36)}-${word()}${word()}`.slice(0, 64);
}
