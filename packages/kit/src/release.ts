/** Gives buffers back by hand where a thread passes megabytes a second through few objects. */

/**
 * Frees the buffer under `bytes` now: a collector that is driven by objects lets tens of megabytes of dead buffers pile up.
 * For the last owner only. A view of a part (of Node's buffer pool, say) is left alone: others may own the rest.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && !buffer.detached && bytes.byteLength === buffer.byteLength) buffer.transfer(0);
}
