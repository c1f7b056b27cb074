export { AccessNotices, type Reloaded } from "./access/access_notices.ts";
export { Auth, type AuthOptions } from "./access/auth.ts";
export { Erasures } from "./erasure/erasures.ts";
export { Holds } from "./erasure/holds.ts";
export { describedMetrics } from "./metrics/metrics.ts";
export * from "./ports.ts";
export { buildServer } from "./server.ts";
export { formatTime, parseTime } from "./time.ts";
export { acknowledge, addNote, close, reopen, type Transition } from "./transitions.ts";
