export { assign } from "./assign.ts";
export * from "./cluster.ts";
export { inProcessCluster } from "./in_process.ts";
export { everyBatchWithinQuota, type Quota, withinQuota } from "./quota.ts";
export { openRedisCluster } from "./redis/open.ts";
export type { RedisSettings } from "./redis/settings.ts";
