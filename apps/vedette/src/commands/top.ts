/** `vedette top`: a live picture of a running server, or one picture for scripts. */
import { BadInputError, jsonText, systemClock } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { picture } from "../top/picture.ts";
import { type Sample, takeSample } from "../top/sample.ts";

interface Options extends ServerOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly interval: string;
}

/** Another screen than the one with the shell's lines, and no cursor; and back. */
const enter = "\u001b[?1049h\u001b[?25l";
const leave = "\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";

export async function top(options: Options): Promise<void> {
  const interval = Number(options.interval);
  if (!(interval >= 0.2 && interval <= 3_600))
    throw new BadInputError("bad_request", `--interval ${options.interval}: expected seconds between 0.2 and 3600`);
  const client = connect(options);
  const take = () => takeSample(client, () => new Date());
  const live = process.stdout.isTTY === true && !options.once && !options.json;
  if (options.json) return options.once ? printOne(await take()) : await follow(take, interval, (now) => printOne(now));
  if (!live) {
    process.stdout.write(`${picture(await take(), undefined, { columns: process.stdout.columns || 120, lines: 200 })}\n`);
    return;
  }
  process.stdout.write(enter);
  try {
    await follow(take, interval, (now, before) => {
      const screen = { columns: process.stdout.columns || 80, lines: (process.stdout.rows || 24) - 1 };
      const lines = picture(now, before, screen).split("\n");
      process.stdout.write(`${home}${lines.map((line) => `${line}${clearLine}`).join("\n")}${clearBelow}`);
    });
  } finally {
    process.stdout.write(leave);
  }
}

const printOne = (sample: Sample): void => void process.stdout.write(`${jsonText(sample)}\n`);

/** Until Ctrl-C or q. */
async function follow(
  take: () => Promise<Sample>,
  interval_s: number,
  show: (now: Sample, before: Sample | undefined) => void,
): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const keys = process.stdin.isTTY ? process.stdin : undefined;
  keys?.setRawMode(true);
  keys?.on("data", (pressed: Buffer) => {
    if (pressed.includes("q") || pressed.includes(3)) end();
  });
  try {
    let before: Sample | undefined;
    while (!stop.signal.aborted) {
      const now = await take();
      show(now, before);
      before = now;
      await systemClock.sleep(interval_s * 1_000, stop.signal);
    }
  } finally {
    keys?.setRawMode(false);
    keys?.pause();
  }
}
