export { Authority, fingerprintOf, newMachineKey } from "./authority.ts";
export * from "./listener.ts";
export { memoryMachines } from "./memory.ts";
export * from "./name.ts";
export { MachineNode } from "./node.ts";
export * from "./register.ts";
export { makeRequest } from "./request.ts";
