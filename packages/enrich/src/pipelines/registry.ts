/** Every kind of step, by the key it has in YAML. */
import type { StepSpec } from "./step.ts";
import { compute } from "./steps/compute.ts";
import { drop } from "./steps/drop.ts";
import { pseudonymise } from "./steps/pseudonymise.ts";
import { redact } from "./steps/redact.ts";
import { rename } from "./steps/rename.ts";
import { route } from "./steps/route.ts";
import { sample } from "./steps/sample.ts";

export const stepSpecs: readonly StepSpec[] = [drop, sample, route, redact, rename, compute, pseudonymise];
