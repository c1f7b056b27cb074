/** `vedette demo` and `vedette demo clear`. */
import { connect, type ServerOptions } from "../client.ts";

export async function demo(options: ServerOptions): Promise<void> {
  const client = connect(options);
  await client.post("/demo");
  process.stderr.write(
    `Replaying the bundled scenario (SSH brute force, web attack, Windows credential dumping, a mining job).\nWatch it at ${client.url}/alerts or with: vedette tail\n`,
  );
  for (let status = await client.get("/status"); status.demo.running; status = await client.get("/status")) {
    const open = Object.entries(status.alerts.open).filter(([, n]) => n > 0);
    if (process.stderr.isTTY)
      process.stderr.write(
        `\r\u001b[K${status.demo.events} events replayed; open alerts: ${open.map(([s, n]) => `${n} ${s}`).join(", ") || "none yet"}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  process.stderr.write(`${process.stderr.isTTY ? "\n" : ""}Done. Remove it with: vedette demo clear\n`);
}

export async function clearDemo(options: ServerOptions): Promise<void> {
  const gone = await connect(options).delete("/demo");
  process.stderr.write(`Removed ${gone.events} demo events and ${gone.alerts} demo alerts.\n`);
}
