/** What is gone from the log before its reader came to it. Only says so: reading goes on where the log begins now. Knows no driver. */

/** @param where a topic and partition, as in `raw/3` @returns how many batches are missing, and what to tell; undefined where none are */
export function goneBefore(
  where: string,
  next: number,
  entries: readonly { readonly offset: number }[],
): { readonly batches: number; readonly message: string } | undefined {
  const first = entries[0]?.offset ?? next;
  // who begins with nothing has missed nothing: a new state over a log that was there
  if (next === 0 || first <= next) return undefined;
  const message = `${where}: batches ${next} to ${first - 1} were gone before they were read. Vedette deletes none that it has not read: look for whoever set retention.ms or retention.bytes of the topic, deleted its records, or deleted files of the log. What they held is lost to detection and search`;
  return { batches: first - next, message };
}
