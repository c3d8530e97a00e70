/** The client of the BIOTech Futures Hub. */

export * from "./chat.js";
export * from "./client.js";
export * from "./errors.js";
export type { ConnectionStatus, Ending, SocketConstructor, SocketLike } from "./live.js";
export * from "./notifications.js";
export { ChatClosedError, type Draft } from "./outbox.js";
export * from "./pages.js";
export type { paths } from "./schema.js";
export { memoryTokens, type Session, type TokenPair, type TokenStore } from "./tokens.js";
export * from "./uploads.js";
export { VERSION } from "./version.js";
