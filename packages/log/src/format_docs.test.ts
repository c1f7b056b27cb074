/** docs/format/log.md says what the code writes. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { encodeFrame, encodeMeta, GroupBuffer } from "./frame.ts";

it("the example frame in docs/format/log.md is the frame the code writes", () => {
  const doc = readFileSync(new URL("../../../docs/format/log.md", import.meta.url), "utf8");
  const given = /```hex\n([^`]*)```/.exec(doc)?.[1]?.replace(/\s/g, "");
  const out = new GroupBuffer();
  const meta = encodeMeta({ positions: [["s", "1"]], counts: [] });
  encodeFrame(out, { offset: 7, sequence: 9, payload: Buffer.from("hello"), meta, snapshot: false }, Buffer.from("saltsalt"), 128);
  expect(given).toBe(out.content().toString("hex"));
});
