/** A socket that comes back by itself. */

import { delayMs, Pause, restartDelayMs } from "./backoff.js";
import type { HubClient, Personal } from "./client.js";
import { isOurs, isTemporary, waitAskedMs } from "./errors.js";
import { tell } from "./listeners.js";

/** What this client needs of a WebSocket: browsers, Node >= 22 and the package `ws` have it. */
export interface SocketLike {
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has an event of its own
  onmessage: ((event: any) => void) | null;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onclose: ((event: any) => void) | null;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

// biome-ignore lint/suspicious/noExplicitAny: programs pass headers where browsers pass protocols
export type SocketConstructor = new (url: string, options?: any) => SocketLike;

/** Why a socket will not come back. `done`: `close()` was called. */
export type Ending = "done" | "signed_out" | "forbidden" | "not_found";

export type ConnectionStatus =
  | { state: "connecting" }
  | { state: "open" }
  | { state: "waiting"; code: number; retryInMs: number }
  | { state: "closed"; reason: Ending };

/** One JSON object from the server. */
export interface Frame {
  type: string;
  [key: string]: unknown;
}

export interface LiveOptions {
  client: HubClient;
  /** Whose socket it is. */
  me: Personal;
  path: string;
  /** What stands in the address beside the ticket, at each attempt anew. Throws HubError and NetworkError. */
  query: () => Record<string, string> | Promise<Record<string, string>>;
  onFrame: (frame: Frame) => void;
  onStatus: (status: ConnectionStatus) => void;
  /** In Node < 22: `import { WebSocket } from "ws"`. */
  webSocket?: SocketConstructor | undefined;
}

const PING_MS = 25_000;
const LASTING_MS = 10_000;
const MINUTE_MS = 60_000;
const CUT = 1006; // RFC 6455, 7.1.5: closed without a close frame
const ENDINGS: Readonly<Record<number, Ending>> = { 4403: "forbidden", 4404: "not_found" };
const REFUSALS: Readonly<Record<number, Ending>> = { 401: "signed_out", 404: "not_found" };

/** Connects by a ticket, pings, and connects again after a while, until it is closed or may not come back. */
export class LiveSocket {
  private socket: SocketLike | null = null;
  private isOver = false;
  private attempt = 0;
  private refusals = 0;
  private openedAt = 0;
  /** A ping was sent, and nothing has been heard since. */
  private isAwaited = false;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private opening: ReturnType<typeof setTimeout> | undefined;
  private readonly pause = new Pause();

  private readonly made: (url: string) => SocketLike;
  private readonly forget: () => void;

  constructor(private readonly options: LiveOptions) {
    this.made = maker(options);
    this.forget = options.client.session.onEnd(() => this.finish("signed_out"));
    void this.connect();
  }

  get isOpen(): boolean {
    return this.openedAt > 0;
  }

  /** Send a frame; false where the socket is not open. */
  send(frame: object): boolean {
    if (!this.isOpen) return false;
    this.socket?.send(JSON.stringify(frame));
    return true;
  }

  close(): void {
    this.finish("done");
  }

  /** Give this connection up, and come back: what it told cannot be used. */
  drop(): void {
    if (this.socket !== null) void this.lost(CUT);
  }

  private async connect(): Promise<void> {
    if (this.isOver) return;
    this.say({ state: "connecting" });
    const { client, me, path, query } = this.options;
    let access: string | null;
    let asked: URLSearchParams;
    try {
      const more = await query();
      const { data } = await me.post("/api/ws/ticket/", { signal: AbortSignal.timeout(client.timeoutMs) });
      asked = new URLSearchParams({ ...more, ticket: data.ticket });
      access = await me.access();
    } catch (error) {
      await this.refused(error);
      return;
    }
    if (!this.isOver) this.listen(this.made(`${client.socketUrl}${path}?${asked}`), access);
  }

  private listen(socket: SocketLike, access: string | null): void {
    this.socket = socket;
    const isMine = () => this.socket === socket;
    socket.onmessage = (event: { data: unknown }) => {
      if (isMine()) this.hear(String(event.data));
    };
    socket.onclose = (event: { code: number }) => {
      if (isMine()) void this.lost(event.code, access);
    };
    socket.onerror = () => {}; // a close follows, and says more
    this.opening = setTimeout(() => this.drop(), this.options.client.timeoutMs);
  }

  private hear(text: string): void {
    this.isAwaited = false;
    let frame: Frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (frame.type === "connection.established") {
      clearTimeout(this.opening);
      this.openedAt = Date.now();
      this.refusals = 0;
      this.heartbeat = setInterval(() => this.beat(), PING_MS);
    }
    if (frame.type !== "pong") this.options.onFrame(frame);
    if (frame.type === "connection.established") this.say({ state: "open" });
  }

  /**
   * A network that has gone away tells nobody: what has not answered the last ping is taken for lost. Clocks say
   * nothing of it: the timers of a page that is not seen may come a minute apart.
   */
  private beat(): void {
    if (this.isAwaited) this.drop();
    else this.isAwaited = this.send({ action: "ping" });
  }

  private async lost(code: number, access: string | null = null): Promise<void> {
    if (this.openedAt > 0 && Date.now() - this.openedAt > LASTING_MS) this.attempt = 0;
    this.letGo();
    if (this.isOver) return;
    const ending = ENDINGS[code];
    if (ending !== undefined) this.finish(ending);
    else if (code === 4401) await this.unauthenticated(access);
    else await this.comeBack(code, this.waitMs(code));
  }

  private waitMs(code: number): number {
    if (code === 4429) return MINUTE_MS + delayMs(10);
    if (code === 1012) return restartDelayMs(this.attempt);
    if (code === 1013) this.attempt = Math.max(this.attempt, 2);
    return delayMs(this.attempt);
  }

  /** The token ran out, or the session ended: renew once, and come back. */
  private async unauthenticated(access: string | null): Promise<void> {
    this.refusals += 1;
    try {
      const pair = access === null || this.refusals > 1 ? null : await this.options.client.session.renew(access);
      if (pair === null) this.finish("signed_out");
      else await this.connect();
    } catch (error) {
      this.refusals = 0; // it is not known yet
      await this.refused(error);
    }
  }

  /** There is no ticket. What is not the server's own word is for now only. */
  private async refused(error: unknown): Promise<void> {
    if (isOurs(error) && !isTemporary(error)) this.finish(REFUSALS[error.status] ?? "forbidden");
    else await this.comeBack(CUT, Math.max(waitAskedMs(error), delayMs(this.attempt)));
  }

  private async comeBack(code: number, retryInMs: number): Promise<void> {
    if (this.isOver) return;
    this.attempt += 1;
    this.say({ state: "waiting", code, retryInMs });
    await this.pause.wait(retryInMs);
    await this.connect();
  }

  private finish(reason: Ending): void {
    if (this.isOver) return;
    this.isOver = true;
    this.forget();
    this.letGo();
    this.pause.wake();
    this.say({ state: "closed", reason });
  }

  private say(status: ConnectionStatus): void {
    tell(this.options.onStatus, status);
  }

  private letGo(): void {
    clearInterval(this.heartbeat);
    clearTimeout(this.opening);
    this.isAwaited = false;
    const { socket } = this;
    this.socket = null;
    this.openedAt = 0;
    socket?.close(1000);
  }
}

/** Return what opens sockets here. Throws where nothing does. */
function maker({ client, webSocket }: LiveOptions): (url: string) => SocketLike {
  const Implementation = webSocket ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (Implementation === undefined) throw new Error("No WebSocket here: pass one, such as that of the package ws.");
  const isProgram = Object.keys(client.headers).length > 0;
  return (url) => (isProgram ? new Implementation(url, { headers: client.headers }) : new Implementation(url));
}
