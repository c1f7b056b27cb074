import decodeQR from "qr/decode.js";
import { expect, it } from "vitest";
import { qrPath } from "./qr.ts";

/** Draws a path as a camera would see it: so many points a square, dark on white. */
function draw({ size, path }: ReturnType<typeof qrPath>, points: number) {
  const side = size * points;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
    for (let dy = 0; dy < points; dy += 1)
      for (let dx = 0; dx < points; dx += 1)
        data.fill(
          0,
          ((Number(y) * points + dy) * side + Number(x) * points + dx) * 4,
          ((Number(y) * points + dy) * side + Number(x) * points + dx) * 4 + 3,
        );
  return { width: side, height: side, data };
}

it.each(["otpauth://totp/Vedette:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Vedette", `otpauth://totp/${"x".repeat(250)}`])(
  "is read back by a decoder",
  (text) => {
    expect(decodeQR(draw(qrPath(text), 6))).toBe(text);
  },
);
