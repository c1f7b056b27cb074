/** deploy/tetragon: the policies have the right form, only observe, limit themselves, and what each tells is judged by the rules that it names. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile, parseQuery } from "@vedette/condition";
import { detectors } from "@vedette/detect";
import type { Fields } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}deploy/tetragon/policies/`;

interface Selector {
  readonly matchArgs?: readonly { readonly index: number; readonly operator: string; readonly values: readonly string[] }[];
  readonly matchBinaries?: readonly { readonly operator: string; readonly values: readonly string[] }[];
  readonly matchNamespaces?: readonly { readonly namespace: string; readonly operator: string; readonly values: readonly string[] }[];
  readonly matchActions: readonly { readonly action: string; readonly rateLimit?: string }[];
}
interface Kprobe {
  readonly call: string;
  readonly syscall: boolean;
  readonly args: readonly { readonly index: number; readonly type: string }[];
  readonly selectors: readonly Selector[];
}
interface Policy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly kprobes: readonly Kprobe[] };
}
/** Of Tetragon's API, what these policies use; a word that is not here is a slip of the pen or needs a look at its documentation. */
const types = ["sock", "file", "int", "module", "cred", "bpf_attr"];
const operators = ["Equal", "Prefix", "Postfix", "NotDAddr", "NotPrefix", "NotIn"];
/** Calls too rare to limit. */
const rare = ["security_kernel_read_file", "do_init_module", "free_module"];

interface Case {
  readonly expect: string;
  readonly raw?: string;
}
interface Told {
  readonly process_kprobe?: { readonly policy_name?: string; readonly function_name: string };
}
/** Functions and policies of the records that a rule's own cases say it matches. */
function judgedBy(rule: string): readonly { readonly policy: string | undefined; readonly call: string }[] {
  const cases = (parse(readFileSync(`${root}content/rules/host/${rule}.yml`, "utf8")) as { vedette: { tests: readonly Case[] } }).vedette
    .tests;
  return cases
    .filter((c) => c.expect === "match" && c.raw !== undefined)
    .flatMap((c) => (JSON.parse(c.raw!) as Told).process_kprobe ?? [])
    .map((k) => ({ policy: k.policy_name, call: k.function_name.replace(/^__x64_/, "") }));
}

const context = { preamble: undefined, received: 0, peer: undefined, source: "s", stream: "" };
const sent = (call: string) =>
  JSON.stringify({
    process_kprobe: {
      process: { exec_id: "bm9kZTE6MQ==", pid: 4_242, uid: 1_042, binary: "/tmp/solve" },
      function_name: call,
      args: [
        {
          sock_arg: {
            family: "AF_INET",
            type: "SOCK_DGRAM",
            protocol: "IPPROTO_UDP",
            saddr: "10.20.9.1",
            daddr: "198.51.100.77",
            sport: 40_000,
            dport: 443,
          },
        },
      ],
      policy_name: "vedette-p1u-egress-udp",
    },
    node_name: "node01",
    time: "2026-05-04T10:00:01Z",
  });

describe.each(readdirSync(folder).sort())("%s", (file) => {
  const text = readFileSync(folder + file, "utf8");
  const policy = parse(text) as Policy;
  const named = [.../Judged by: ([\s\S]*?)\n(?!#)/.exec(text)![1]!.matchAll(/[a-z]+(?:_[a-z]+)+/g)].map(([name]) => name);

  test("is a policy that only observes and limits itself", () => {
    expect([policy.apiVersion, policy.kind, policy.metadata.name]).toEqual([
      "cilium.io/v1alpha1",
      "TracingPolicy",
      `vedette-${file.replace(".yaml", "")}`,
    ]);
    for (const { call, syscall, args, selectors } of policy.spec.kprobes) {
      expect([call, syscall]).toEqual([call, call.startsWith("sys_")]);
      expect(types).toEqual(expect.arrayContaining(args.map((a) => a.type)));
      expect(selectors.length).toBeGreaterThan(0);
      for (const { matchArgs = [], matchBinaries = [], matchNamespaces = [], matchActions } of selectors) {
        expect(args.map((a) => a.index)).toEqual(expect.arrayContaining(matchArgs.map((a) => a.index)));
        for (const { operator, values } of [...matchArgs, ...matchBinaries, ...matchNamespaces]) {
          expect(operators).toContain(operator);
          expect(values.every((v) => typeof v === "string" && v !== "")).toBe(true);
        }
        expect(matchActions).toEqual([rare.includes(call) ? { action: "Post" } : { action: "Post", rateLimit: "1m" }]);
      }
    }
  });

  test("names rules and detectors that there are, and one of them judges what it tells", async () => {
    const known = await detectors();
    const rules = named.filter((name) => existsSync(`${root}content/rules/host/${name}.yml`));
    expect(named.filter((name) => !rules.includes(name) && !known.has(name))).toEqual([]);
    const calls = policy.spec.kprobes.map((k) => k.call);
    const judged = rules.flatMap(judgedBy).filter((j) => j.policy === policy.metadata.name && calls.includes(j.call));
    if (judged.length > 0) return;
    // no rule of one event: a detector has to take it
    const decoded = (await formats()).get("tetragon")!.json!.decode(JSON.parse(sent(calls[0]!)), "", context);
    const { fields } = (Array.isArray(decoded) ? decoded[0] : decoded) as { readonly fields: Fields };
    const takes = named.filter((name) => {
      const query = parseQuery(known.get(name)?.where ?? "");
      return query.ok && compile(query.query.where)({ fields });
    });
    expect(takes).not.toEqual([]);
  });
});

test("the environment's variables are those of the job and no other", () => {
  const setting = (name: string) => readFileSync(`${root}deploy/tetragon/tetragon.conf.d/${name}`, "utf8").trim();
  expect(setting("filter-environment-variables")).toBe("SLURM_JOB_ID,SLURM_STEP_ID");
  expect(setting("enable-process-environment-variables")).toBe("true");
  expect(setting("cgroup-rate")).toMatch(/^\d+,1s$/);
});
