export { Folder } from "./output/files.ts";
export { send } from "./output/protocols.ts";
export { zeekHeader } from "./records/zeek.ts";
export { parseDuration, scenarios, stage } from "./scenarios/catalogue.ts";
export { type Claim, type Score, score } from "./score.ts";
export { Simulation } from "./simulation.ts";
export { serviceNamed } from "./site.ts";
export type { IncidentTruth, SimulationTruth } from "./truth.ts";
export type { Emitted, WorldOptions } from "./world.ts";
