/** A job as `scontrol --oneliner show job` prints it: Key=Value, the value as long as it goes until the next key. Knows no job. */

const maxPairs = 128;
/** Names by which `sacct` knows the same. */
const renamed: ReadonlyMap<string, string> = new Map([
  ["jobstate", "state"],
  ["submittime", "submit"],
  ["starttime", "start"],
  ["endtime", "end"],
  ["numnodes", "nnodes"],
  ["numcpus", "ncpus"],
  ["tres", "alloctres"],
  ["reason", "state_reason"],
]);
/** What is written where there is nothing. */
const nothing = new Set(["(null)", "N/A", "Unknown", "None", ""]);
/** `ada(3001)`: a name and its number. */
const numbered = /^([^()]{1,256})\((\d{1,10})\)$/;
const people: ReadonlyMap<string, readonly [name: string, number: string]> = new Map([
  ["userid", ["user", "uid"]],
  ["groupid", ["group", "gid"]],
]);
/** Numbers of arrays and of jobs of several parts, as JSON has them. */
const parts: ReadonlyMap<string, string> = new Map([
  ["arrayjobid", "array_job_id"],
  ["arraytaskid", "array_task_id"],
  ["hetjobid", "het_job_id"],
  ["hetjoboffset", "het_job_offset"],
]);

export const isScontrolJob = (text: string): boolean => /^JobId=\d{1,10} /.test(text) && text.includes(" JobState=");

/** With the names that sacct's columns have; the first of a name counts, for what a user wrote comes after what Slurm did. */
export function scontrolJob(text: string): { readonly [name: string]: string } {
  const job: { [name: string]: string } = {};
  const put = (name: string, value: string) => {
    job[name] ??= value;
  };
  for (const pair of text.split(/\s{1,8}(?=[A-Z][A-Za-z/:._]{1,32}=)/, maxPairs)) {
    const at = pair.indexOf("=");
    const [key, value] = [pair.slice(0, at).toLowerCase(), pair.slice(at + 1).trim()];
    if (at < 1 || nothing.has(value)) continue;
    const person = people.get(key);
    const both = person && numbered.exec(value);
    if (person && both) {
      put(person[0], both[1]!);
      put(person[1], both[2]!);
    } else put(renamed.get(key) ?? parts.get(key) ?? key, key === "numnodes" ? value.split("-", 1)[0]! : value);
  }
  return job;
}
