/** `vedette erase`: takes what is stored of somebody or something away for good; without --yes it says what that would come to. */
import { systemClock } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows, rangeOf, safe } from "../output.ts";
import { Progress } from "../progress.ts";

interface Options extends ServerOptions {
  readonly reason: string;
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly audit?: boolean;
  readonly yes?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}

const poll_ms = 500;
/** Of somebody everything goes unless a time is named. */
const always = "1970-01-01T00:00:00Z";

export async function erase(q: string, options: Options): Promise<void> {
  const client = connect(options);
  const form = formOf(options);
  const body = {
    q,
    from: always,
    to: new Date().toISOString(),
    ...rangeOf(options),
    audit: options.audit === true,
    reason: options.reason,
  };
  if (!options.yes) {
    const preview = await client.post("/erasures/preview", { body });
    const { holds, ...counts } = preview;
    if (form !== "table") return printRows([preview], ["events", "held", "alerts", "records", "holds"], form);
    process.stdout.write(`${told(counts)} would go; add --yes.\n`);
    if (counts.held > 0)
      process.stdout.write(`${counts.held} events would stay, kept by ${safe(holds.join(", "))}; see vedette hold list\n`);
    return;
  }
  const { id } = await client.post("/erasures", { body });
  const progress = new Progress(0);
  for (;;) {
    const one = (await client.get("/erasures")).erasures.find((each) => each.id === id);
    if (one === undefined || one.state !== "running") {
      progress.clear();
      if (one === undefined || one.state === "failed")
        throw Object.assign(new Error(`erasure ${safe(id)}: ${safe(one?.problem ?? "it is not listed any more")}`), { permanent: true });
      if (form !== "table") return printRows([one], ["id", "state", "events", "held", "alerts", "records", "ended"], form);
      process.stdout.write(
        `${told(one)} are gone (${safe(id)})${one.held > 0 ? `; ${one.held} events stay: a legal hold keeps them` : ""}.\n`,
      );
      return;
    }
    progress.at(0, `erasing: ${told(one)}${one.problem === undefined ? "" : `; ${one.problem}, tried again`}`);
    await systemClock.sleep(poll_ms);
  }
}

/** Erasures that were begun, and how they went. */
export async function list(options: ServerOptions & { readonly output?: string; readonly json?: boolean }): Promise<void> {
  const { erasures } = await connect(options).get("/erasures");
  printRows(
    erasures.map((one) => ({ ...one })),
    ["id", "at", "by", "state", "events", "held", "alerts", "records", "reason"],
    formOf(options),
    "no erasure",
  );
}

function told({ events, alerts, records }: { readonly events: number; readonly alerts: number; readonly records: number }): string {
  const parts = [`${events} events`, `what ${alerts} alerts quote`];
  if (records > 0) parts.push(`what ${records} records of the audit trail hold`);
  return parts.join(", ");
}
