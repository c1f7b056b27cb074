/** `vedette tail`: alerts as they are raised, and a sample of events. */
import { jsonText } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { paint, safe } from "../output.ts";

interface Options extends ServerOptions {
  readonly events?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}

export async function tail(options: Options): Promise<void> {
  const client = connect(options);
  const machine = options.json || options.output === "ndjson";
  process.stderr.write(`Following ${client.url}; Ctrl-C ends.\n`);
  for await (const { event, data } of client.follow(options.events ?? false)) {
    if (event !== "alert" && event !== "events") continue;
    if (machine) {
      process.stdout.write(`${jsonText({ event, data: JSON.parse(data) as unknown })}\n`);
      continue;
    }
    if (event === "alert") {
      const a = JSON.parse(data) as { updated: string; severity: string; title: string; summary: string; count: number; id: string };
      process.stdout.write(
        `${a.updated.slice(11, 19)} ${paint(a.severity, a.severity.toUpperCase().padEnd(8))} ${safe(a.title)} — ${safe(a.summary)} (×${a.count}) ${a.id}\n`,
      );
    } else {
      const { events } = JSON.parse(data) as { events: { time: string; host: string; original: string }[] };
      for (const e of events) process.stdout.write(`${e.time.slice(11, 19)} ${safe(e.host)} ${safe(e.original).slice(0, 200)}\n`);
    }
  }
}
