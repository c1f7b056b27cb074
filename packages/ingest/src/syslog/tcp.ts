/** Reads syslog from a connection, which is not read while its last messages are not durable. Knows nothing of what messages say. */
import { deliver } from "../deliver.ts";
import { readStream, settling } from "../stream_reader.ts";
import { type ListenContext, type ListenOptions, listen, piecesOf } from "../tcp.ts";
import { SyslogCutter } from "./framing.ts";

/** Resolves when `signal` has aborted and everything that was read is handed on. */
export function listenTcp(options: ListenOptions & { readonly maxMessageBytes: number }, context: ListenContext): Promise<void> {
  const { clock, intake, signal } = context;
  return listen(options, context, async (socket, token) => {
    const peer = socket.remoteAddress;
    const stream = `tcp ${peer ?? "?"}`;
    const cutter = new SyslogCutter({
      token,
      maxBytes: options.maxMessageBytes,
      peer,
      miscounted: () =>
        context.warn(
          "octet_count_mismatch",
          `${options.name}: ${peer ?? "?"}: messages are longer or shorter than the count in front of them; set the sender to octet counting in bytes, or to line feeds`,
        ),
    });
    await readStream(
      settling(piecesOf(socket, options, context), () => cutter, clock),
      {
        cutter: () => cutter,
        deliver: (batch) => deliver(batch, { stream }, { intake, clock, signal }),
      },
    );
  });
}
