/** The live tail on the page: pause, what was missed, and whether the stream is a sample. */
import { Button } from "@mantine/core";
import { useState } from "react";
import { formatCount } from "../format/number.ts";
import { Icon } from "../shell/icons.tsx";
import { keysOf } from "../shell/keymap.ts";
import { Empty } from "../shell/states.tsx";
import { EventTable } from "./event_table.tsx";
import type { FilterBy } from "./field_list.tsx";
import { tail_rows, useTail } from "./tail.ts";

export interface TailViewProps extends FilterBy {
  readonly query: string;
  readonly paused: boolean;
  readonly setPaused: (paused: boolean) => void;
}

export function TailView({ query, paused, setPaused, filterBy }: TailViewProps) {
  const [opened, setOpened] = useState<string>();
  const tail = useTail(true, paused, query);
  const open = (id: string | undefined) => {
    setOpened(id);
    // A row being read must not run away.
    if (id !== undefined) setPaused(true);
  };
  return (
    <>
      <div className="range-line">
        <Button
          size="xs"
          variant={paused ? "filled" : "default"}
          onClick={() => setPaused(!paused)}
          leftSection={<Icon name={paused ? "play" : "pause"} size={13} />}
        >
          {paused ? "Resume" : "Pause"}
          <kbd>{keysOf("events_pause")}</kbd>
        </Button>
        <span className="dim small">
          {paused
            ? `Paused${tail.missed > 0 ? `; ${formatCount(tail.missed)} arrived meanwhile and are in the search` : ""}`
            : query === ""
              ? `Newest ${tail_rows} of all sources${tail.sampled ? "; more arrive than can be read, this is a sample" : ""}`
              : "Events that match the query, asked for every 2 s"}
        </span>
        {tail.sampled && !paused && <span className="tag">sampled</span>}
        {tail.trouble !== undefined && <span className="strong-bad small">{tail.trouble}</span>}
      </div>
      <section className="panel panel-flush" aria-label="Live tail">
        {tail.rows.length === 0 ? (
          <Empty icon="clock" title="Waiting for the next event" />
        ) : (
          <EventTable events={tail.rows} opened={opened} open={open} filterBy={filterBy} />
        )}
      </section>
    </>
  );
}
