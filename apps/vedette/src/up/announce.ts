/** What a start says to whoever watches it. Changes nothing. */
import { join } from "node:path";
import { type Runtime, toldLosses } from "@vedette/pipeline";
import type { Display } from "../commands/display.ts";
import type { Front } from "./front.ts";
import type { Start } from "./start.ts";

export async function announce(
  { loaded, directory, display, version, roles }: Start,
  runtime: Runtime,
  { auth, machines }: Front,
  url: string,
  took_ms: number,
): Promise<void> {
  const { rules } = runtime.rules();
  const refused = rules.filter((r) => r.state === "refused");
  if (roles) display.say(`One of several processes: ${[...roles].join(", ")}`);
  display.say(`Vedette ${version} is up at ${url} after ${(took_ms / 1_000).toFixed(1)} s; data in ${directory.path}`);
  if (machines.listener)
    display.say(`Machines come in at ${machines.listener.url} with certificates; vedette machine token makes what one enrols with`);
  display.say(
    `Log in once with ${url}/login?token=${auth.issueLogin()}  (valid for an hour; later: the token in ${join(directory.path, "admin.token")})`,
    { asIs: true },
  );
  display.say(
    `${rules.filter((r) => r.state === "enabled").length} rules on, ${refused.length} refused; ${Object.keys(loaded.config.sources).length} sources configured; HTTP ingest at ${url}/ingest and ${url}/_bulk`,
  );
  tellUnknownFields(runtime, display);
  const losses = await runtime.pipelines.losses();
  if (losses.length > 0) display.say(`pipelines: ${toldLosses(losses)}`);
  for (const r of refused) display.say(`refused: ${r.reason}`, { level: "warn", component: "rules" });
}

/** So many are read at a start; `rule list` has them all. */
const maxTold = 5;

/** Says which rules speak of fields that no event is known to carry: they load, but what they wait for may never come. */
function tellUnknownFields(runtime: Runtime, display: Display): void {
  const blind = runtime.rules().rules.filter(({ unknown_fields, state }) => unknown_fields !== undefined && state !== "quarantined");
  for (const { file, title, unknown_fields = [] } of blind.slice(0, maxTold))
    display.say(`${file}: ${title}: no event is known to carry ${unknown_fields.join(", ")}`);
  if (blind.length > maxTold) display.say(`${blind.length - maxTold} more rules name unknown fields; vedette rule list --unknown-fields`);
}
