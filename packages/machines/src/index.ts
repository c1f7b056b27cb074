export { Authority, newMachineKey } from "./authority.ts";
export { type ListenerOptions, MachineListener } from "./listener.ts";
export { memoryMachines } from "./memory.ts";
export { idOfMachine, machineNameSchema, namePattern, readMachineId, serverRole } from "./name.ts";
export { MachineNode } from "./node.ts";
export { type Enrolled, healths, type MachineLine, Register } from "./register.ts";
export { makeRequest } from "./request.ts";
