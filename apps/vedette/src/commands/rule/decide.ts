/** `vedette rule promote | enable | shadow | quarantine`: one person's decision on one rule. */
import { connect, type ServerOptions } from "../../client.ts";
import { finish } from "./apply.ts";

interface Options extends ServerOptions {
  readonly reason: string;
  readonly owner?: string;
  readonly review?: string;
  readonly force?: boolean;
}

export async function decide(id: string, to: "promote" | "enabled" | "shadow" | "quarantined", options: Options): Promise<void> {
  const { reason, owner, review, force } = options;
  const body = { reason, ...(owner ? { owner } : {}), ...(review ? { review } : {}), ...(force ? { force } : {}) };
  const client = connect(options);
  finish(
    to === "promote"
      ? await client.post("/rules/{id}/promote", { path: { id }, body })
      : await client.post("/rules/{id}/state", { path: { id }, body: { state: to, ...body } }),
  );
}
