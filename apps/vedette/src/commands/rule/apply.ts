/** `vedette rule diff | apply | rollback | versions`: what a set of rules would change, putting it in force, and going back. */

import type { Applied, Operation } from "@vedette/client";
import { jsonText } from "@vedette/kit";
import { connect, type ServerOptions } from "../../client.ts";
import { formOf, printRows, safe } from "../../output.ts";
import { readRelease } from "../../release/read.ts";
import { agrees, printPlan } from "./plan_report.ts";

interface Options extends ServerOptions {
  readonly pack: string;
  readonly commit?: string;
  readonly path?: string;
  readonly release?: string;
  readonly remove?: boolean;
  readonly shadow?: boolean;
  readonly owner?: string;
  readonly review?: string;
  readonly reason?: string;
  readonly withoutRefused?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}
type Wish = NonNullable<Operation<"post", "/rules/apply">["requestBody"]>["content"]["application/json"]["wish"];

const usage = (message: string) => Object.assign(new Error(message), { permanent: true });
const stateOf = ({ shadow }: Options): "shadow" | "enabled" => (shadow ? "shadow" : "enabled");

/** Exit code 1 when something changes or is refused, as diff does. */
export async function diff(from: string | undefined, options: Options): Promise<void> {
  const client = connect(options);
  const plan =
    from === undefined
      ? await client.post("/rules/plan", { body: options.release ? wish(options, options.release) : { kind: "reload" } })
      : await client.post("/rules/diff", { body: { ...readRelease(from, options).release, state: stateOf(options) } });
  if (options.json) process.stdout.write(`${jsonText(plan, 2)}\n`);
  else printPlan(plan);
  if (plan.differences.length > 0 || plan.refused.length > 0) process.exitCode = 1;
}

export async function apply(from: string | undefined, options: Options): Promise<void> {
  const client = connect(options);
  let wanted: Wish = { kind: "reload" };
  if (options.remove) wanted = { kind: "remove", pack: options.pack };
  else if (options.release !== undefined) wanted = wish(options, options.release);
  else if (from !== undefined) {
    // somebody must be there to ask when a rule calls people at night
    if (!options.shadow && (options.owner === undefined || options.review === undefined))
      throw usage("rules that raise alerts need --owner NAME and --review YYYY-MM-DD; or apply them on trial with --shadow");
    const { release, left_out } = readRelease(from, options);
    for (const [why, count] of left_out) process.stderr.write(`${count} YAML files left out: ${why}\n`);
    const kept = await client.post("/rule-releases", { body: release });
    wanted = wish(options, kept.release.hash);
  }
  const consent = { without_refused: options.withoutRefused ?? false, force: options.force ?? false, yes: options.yes ?? false };
  const reason = options.reason ?? (from === undefined ? "applied by hand" : `applied ${from}`);
  const send = (agreed: typeof consent) => client.post("/rules/apply", { body: { wish: wanted, reason, ...agreed } });
  let applied = await send(consent);
  if (!options.json) printPlan(applied.plan);
  const onlyCoverage = applied.blocked.length > 0 && applied.blocked.every((one) => one.startsWith("coverage "));
  if (onlyCoverage && (await agrees(`${applied.blocked.join("\n")}\nPut it in force all the same?`)))
    applied = await send({ ...consent, yes: true });
  if (options.json) process.stdout.write(`${jsonText(applied, 2)}\n`);
  finish(applied);
}

function wish(options: Options, release: string): Wish {
  const { owner, review } = options;
  return { kind: "apply", release, state: stateOf(options), ...(owner ? { owner } : {}), ...(review ? { review } : {}) };
}

/** What stood in the way, with exit code 1; else the version now in force. */
export function finish({ blocked, version, plan }: Applied): void {
  for (const line of blocked) process.stderr.write(`not done: ${safe(line)}\n`);
  if (blocked.length > 0) {
    for (const line of plan.refused) process.stderr.write(`refused: ${safe(line)}\n`);
    process.stderr.write("the rules in force are what they were\n");
    process.exitCode = 1;
  } else if (plan.differences.length > 0) process.stderr.write(`in force: version ${version}; vedette rule rollback goes back\n`);
}

export async function rollback(to: string | undefined, options: Options): Promise<void> {
  if (to !== undefined && !/^\d+$/.test(to)) throw usage(`${to}: expected the number of a version, see vedette rule versions`);
  const done = await connect(options).post("/rules/rollback", {
    body: { ...(to === undefined ? {} : { to: Number(to) }), reason: options.reason ?? "rolled back by hand" },
  });
  if (options.json) process.stdout.write(`${jsonText(done, 2)}\n`);
  process.stderr.write(`back to version ${done.to}, now version ${done.version}; what ${done.rules} rules had found is taken back\n`);
}

export async function versions(options: Options): Promise<void> {
  const { versions: all } = await connect(options).get("/rule-versions");
  const rows = all.map(({ at, program, current, ...rest }) => ({
    ...rest,
    at: at.slice(0, 19),
    program: program.slice(0, 10),
    now: current ? "*" : "",
  }));
  printRows(
    formOf(options) === "table" ? rows : all,
    ["number", "now", "at", "what", "subject", "to", "by", "program", "reason"],
    formOf(options),
  );
}
