/** `vedette rule pull`: brings a release of rules in, pinned and by its content; nothing is in force by it. */
import { join } from "node:path";
import type { RulePlan } from "@vedette/client";
import { jsonText, systemClock, UnavailableError } from "@vedette/kit";
import type { ReleaseHead } from "@vedette/model";
import { holderOf, Releases } from "@vedette/pipeline";
import { connect, type ServerOptions } from "../../client.ts";
import { formOf, printRows, type Row, safe } from "../../output.ts";
import { readRelease } from "../../release/read.ts";
import { printPlan } from "./plan_report.ts";

interface Options extends ServerOptions {
  readonly pack: string;
  readonly commit?: string;
  readonly path?: string;
  readonly list?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}

const say = (text: string) => process.stderr.write(`${text}\n`);

export async function pull(from: string | undefined, options: Options): Promise<void> {
  if (options.list) return list(options);
  if (from === undefined)
    throw Object.assign(new Error("name a folder, .zip, .tar.gz or git URL; or --list what was pulled"), { permanent: true });
  const { release, left_out } = readRelease(from, options);
  for (const [why, count] of left_out) say(`${count} YAML files left out: ${why}`);
  const asked = await ask(release, options);
  const { head, plan } = asked;
  if (options.json) process.stdout.write(`${jsonText({ release: head, plan }, 2)}\n`);
  else if (plan) printPlan(plan);
  say(`${head.files} rules of ${safe(head.origin)} kept as ${head.pack} ${head.hash.slice(0, 12)}; nothing is in force by it.`);
  if (head.licence !== undefined)
    say(`Licence: ${safe(head.licence.split("\n").find((line) => line.trim() !== "") ?? "").slice(0, 100)} (kept with it)`);
  say(`On trial with: vedette rule apply --release ${head.hash.slice(0, 12)} --shadow --without-refused --reason TEXT`);
}

type Head = Omit<ReleaseHead, "at">;

/** By the server, which says what the rules would do; into the data directory where none runs. */
async function ask(release: Parameters<Releases["put"]>[0], options: Options): Promise<{ head: Head; plan?: RulePlan }> {
  try {
    const { release: head, plan } = await connect(options).post("/rule-releases", { body: release });
    return { head, plan };
  } catch (e) {
    const directory = options.dataDir ?? process.env["VEDETTE_DATA"] ?? "./data";
    if (!(e instanceof UnavailableError) || options.url !== undefined || holderOf(directory) !== undefined) throw e;
    say("no server runs here: what the rules would change is said when they are applied");
    return { head: await new Releases(join(directory, "rules")).put(release, systemClock.now()) };
  }
}

async function list(options: Options): Promise<void> {
  const { releases } = await connect(options).get("/rule-releases");
  const rows = releases.map(({ hash, pack, at, files, origin }) => ({
    release: hash.slice(0, 12),
    pack,
    at: at.slice(0, 19),
    rules: files,
    origin,
  }));
  printRows(rows as Row[], ["release", "pack", "at", "rules", "origin"], formOf(options), "nothing was pulled yet");
}
