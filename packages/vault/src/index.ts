export { sealerOf } from "./ring.ts";
export { type Rotated, Vault, type VaultStatus } from "./vault.ts";
