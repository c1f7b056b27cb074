/** One record → one ECS event, per format: events per CPU second, and of formats in JSON how that compares with JSON.parse of the same records, else with splitting them into lines. */
import { loadavg } from "node:os";
import { formats } from "@vedette/normalise";
import { sshdLines, zeekLines } from "../corpus.ts";
import { costOf, print, say } from "../harness.ts";

/** The goals: events per CPU second, or the share of JSON.parse. */
const goals: { readonly [format: string]: number } = { sshd: 60_000, zeek_tsv: 100_000, syslog: 80_000 };
const goalOfParse = 0.5;
const context = { preamble: undefined, received: 1_795_000_000_000_000, peer: "192.0.2.1", source: "bench", stream: "bench" };

interface Case {
  readonly name: string;
  readonly format: string;
  readonly config?: unknown;
  readonly preamble?: string | undefined;
  readonly lines: readonly string[];
}

export async function bench(events = 50_000): Promise<void> {
  const known = await formats();
  const cases: Case[] = [
    { name: "sshd", format: "syslog", lines: sshdLines() },
    { name: "zeek_json", format: "zeek", lines: zeekLines().slice(0, 5_000) },
  ];
  for (const [name, { examples }] of known) {
    const lines = examples.filter((one) => Array.isArray(one.expect)).map(({ input }) => input);
    const first = examples.find((one) => Array.isArray(one.expect));
    if (lines.length > 0)
      cases.push({
        name: name === "zeek" ? "zeek_tsv" : name,
        format: name,
        config: first?.config,
        preamble: first?.preamble,
        lines: first?.preamble === undefined ? lines : [first.input],
      });
  }
  const details: { [name: string]: number | string } = {};
  let [least, leastOf] = [Number.POSITIVE_INFINITY, ""];
  for (const one of cases) {
    const { rate, limit, json } = await measure(one, events);
    details[`${one.name}_per_cpu_s`] = rate;
    details[`${one.name}_of_${json ? "json_parse" : "line_split"}`] = rate / limit;
    const goal = goals[one.name];
    const reached = goal !== undefined ? rate / goal : json ? rate / limit / goalOfParse : Number.POSITIVE_INFINITY;
    if (reached < least) [least, leastOf] = [reached, one.name];
    say(
      `${one.name}: ${Math.round(rate)} events per CPU second, ${((100 * rate) / limit).toFixed(1)} % of ${json ? "JSON.parse" : "splitting lines"}`,
    );
  }
  details["furthest_from_its_goal"] = leastOf;
  details["load_average"] = loadavg()[0]!;
  print({ name: "decode", value: least, unit: "times the goal, of the format that is furthest from its own", baseline: 1, details });

  async function measure({ format, config, preamble, lines }: Case, count: number) {
    const spec = known.get(format)!;
    const decode = spec.decoder(spec.config.parse(config ?? {}));
    const all = Array.from({ length: count }, (_, i) => lines[i % lines.length]!);
    const about = { ...context, preamble };
    for (const text of all.slice(0, 5_000)) decode(text, about);
    const json = lines.every((line) => line.trimStart().startsWith("{"));
    const text = all.join("\n");
    let checked = 0;
    const limit = await costOf(() => {
      if (json) for (const line of all) checked += typeof JSON.parse(line) === "object" ? 1 : 0;
      else for (const line of text.split("\n")) checked += line.charCodeAt(0) > 0 ? 1 : 0;
    });
    const own = await costOf(() => {
      for (const line of all) checked += "code" in decode(line, about) ? 1 : 0;
    });
    if (checked < 0) throw new Error("nothing was read");
    return { rate: count / own.cpu_s, limit: count / limit.cpu_s, json };
  }
}
