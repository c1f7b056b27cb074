export { AccessNotices, type Reloaded } from "./access/access_notices.ts";
export { Auth } from "./access/auth.ts";
export { Erasures } from "./erasure/erasures.ts";
export { Holds } from "./erasure/holds.ts";
export { describedMetrics } from "./metrics/metrics.ts";
export type { BackupPort, Place, SenderConfig, ServerOptions, VaultPort } from "./ports.ts";
export { buildServer } from "./server.ts";
