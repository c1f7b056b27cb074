export { Simulation } from "./simulation.ts";
export type { IncidentTruth, JobTruth, Place, SimulationTruth } from "./truth.ts";
export type { Emitted, Stream, WorldOptions } from "./world.ts";
