/** Inputs that no stage could take: where from, why, what was expected, and what they looked like. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { DeadLetter } from "../api/types.ts";
import { formatBytes } from "../format/number.ts";
import { decodeBase64, shorten } from "../format/text.ts";
import { LoadMore } from "../shell/load_more.tsx";
import { Panel } from "../shell/panel.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile, Original } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";

const page_size = 25;
/** Of an input: in the row, and when opened. */
const preview_characters = 120;
const opened_characters = 8_192;

export function DeadLetters() {
  const query = useInfiniteQuery({
    queryKey: ["dead"],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => api.get("/dead", { signal, query: { limit: page_size, cursor: pageParam } }),
    getNextPageParam: (page) => page.cursor,
  });
  const letters = query.data?.pages.flatMap((page) => page.letters);
  return (
    <Panel title="Dead letters" flush aside={<span className="dim small">inputs no stage could take; nothing is dropped silently</span>}>
      {letters === undefined ? (
        query.error ? (
          <Failure error={query.error} what="Dead letters" retry={query.refetch} />
        ) : (
          <Loading what="dead letters" rows={4} />
        )
      ) : letters.length === 0 ? (
        <Empty icon="check" title="No dead letters" />
      ) : (
        <TableScroll>
          <table className="grid">
            <thead>
              <tr>
                <th scope="col">Received</th>
                <th scope="col">Source and position</th>
                <th scope="col">Stage</th>
                <th scope="col">Reason</th>
                <th scope="col">Input</th>
              </tr>
            </thead>
            <tbody>
              {letters.map((letter) => (
                <Letter key={`${letter.source} ${letter.position} ${letter.stage}`} letter={letter} />
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      {query.hasNextPage && <LoadMore loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} />}
    </Panel>
  );
}

function Letter({ letter }: { readonly letter: DeadLetter }) {
  const input = decodeBase64(letter.bytes);
  return (
    <tr>
      <td>
        <Time iso={letter.received} digits={0} />
      </td>
      <td className="position">
        <Hostile text={letter.source} />
        <div className="cell-sub mono">
          <Hostile text={letter.position} />
        </div>
      </td>
      <td>{letter.stage}</td>
      <td className="wrap">
        <code>{letter.code}</code>
        <div className="cell-sub">
          expected <Hostile text={letter.expected} />
        </div>
      </td>
      <td className="cell-main">
        {input === undefined ? (
          <span className="dim">not base64</span>
        ) : (
          <details>
            <summary className="mono small">
              <Hostile text={shorten(input.text, preview_characters)} /> <span className="dim">{formatBytes(input.bytes)}</span>
            </summary>
            <Original text={shorten(input.text, opened_characters)} label="Input" />
          </details>
        )}
      </td>
    </tr>
  );
}
