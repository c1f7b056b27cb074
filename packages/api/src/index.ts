export { AccessNotices, type Reloaded } from "./access_notices.ts";
export { Auth, type AuthOptions } from "./auth.ts";
export { Erasures } from "./erasures.ts";
export { Holds } from "./holds.ts";
export { describedMetrics } from "./metrics.ts";
export * from "./ports.ts";
export { buildServer } from "./server.ts";
export { formatTime, parseTime } from "./time.ts";
export { acknowledge, addNote, close, reopen, type Transition } from "./transitions.ts";
