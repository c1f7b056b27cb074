export { assign } from "./assign.ts";
export { type Cluster, type Lease, type Leases, type Member, maxNotice, type Notices } from "./cluster.ts";
export { inProcessCluster } from "./in_process.ts";
export { everyBatchWithinQuota, type Quota, withinQuota } from "./quota.ts";
export { openRedisCluster } from "./redis/open.ts";
