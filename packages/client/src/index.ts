export { ApiError, Client, type ClientOptions, type Failure, queryOf } from "./client.ts";
export type * from "./schema.ts";
export { type ServerEvent, serverEvents } from "./sse.ts";
export type { Answered, Operation } from "./types.ts";
