export { type Head, readHeads } from "./head.ts";
export { keyRing } from "./key.ts";
export { readLine } from "./line.ts";
export { type AuditRecord, AuditTrail, trailPaths } from "./trail.ts";
export { type Verdict, verifyChain } from "./verify.ts";
