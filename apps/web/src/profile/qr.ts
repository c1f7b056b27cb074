/** A QR code as one path of squares. Nothing leaves the browser: what is drawn is a secret. */
import encodeQR from "qr";

export interface QrPath {
  /** Squares on each side, the quiet zone included. */
  readonly size: number;
  readonly path: string;
}

/** ISO/IEC 18004, 9.1: four squares around it stay empty. */
const quiet_zone = 4;

export function qrPath(text: string): QrPath {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: quiet_zone });
  const squares = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")));
  return { size: rows.length, path: squares.join("") };
}
