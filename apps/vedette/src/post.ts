/** One JSON document to somebody else's server, within bounds. Knows neither what it says nor why. */
import { readFile } from "node:fs/promises";
import { outsideRequest, whereabouts } from "@vedette/kit";

const timeout_ms = 10_000;

/** @param tokenFile its first line is sent as a bearer token @throws Error that names the host and no more: the address of some receivers is a secret */
export async function post(url: URL, tokenFile: string | undefined, body: object, signal: AbortSignal): Promise<void> {
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).split("\n", 1)[0]!.trim();
  const answer = await outsideRequest(url, {
    may: (address) => whereabouts(address) !== "link",
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "vedette",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: Buffer.from(JSON.stringify(body)),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
  });
  answer.destroy();
  const { statusCode = 0 } = answer;
  if (statusCode < 200 || statusCode > 299) throw new Error(`${url.host} answers ${statusCode}`);
}
