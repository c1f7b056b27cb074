/** What a pipeline would do to the newest stored events, before it is in force. It changes nothing. */
import { Button, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api } from "../api/client.ts";
import type { PipelinePreview } from "../api/data.ts";
import { formatCount } from "../format/number.ts";
import { shorten } from "../format/text.ts";
import { Panel } from "../shell/panel.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { Losses } from "./losses.tsx";

const example = 'name: tidy\nsteps:\n  - name: health checks\n    when: "url.path:/healthz"\n    drop: {}\n';
/** Of a value in an example. */
const shown_characters = 300;

export function PreviewPanel() {
  const [text, setText] = useState("");
  const act = useMutation({
    mutationFn: (yaml: string) => api.post("/pipelines/preview", { body: { files: [{ file: "preview.yml", text: yaml }] } }),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (text.trim() !== "") act.mutate(text);
  };
  return (
    <Panel title="Preview" aside={<span className="dim small">over the newest 1,000 stored events; changes nothing</span>}>
      <form className="stack" onSubmit={submit}>
        <Textarea
          label="Pipeline (YAML)"
          placeholder={example}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          rows={8}
          spellCheck={false}
          classNames={{ input: "mono" }}
        />
        <div className="action-bar">
          <Button type="submit" size="xs" loading={act.isPending} disabled={text.trim() === ""}>
            Preview
          </Button>
          <Button size="xs" variant="default" onClick={() => setText(example)}>
            Take the example
          </Button>
          {act.error !== null && (
            <span className="strong-bad" role="alert">
              {act.error.message}
            </span>
          )}
        </div>
      </form>
      {act.data !== undefined && <Result preview={act.data as PipelinePreview} />}
    </Panel>
  );
}

function Result({ preview }: { readonly preview: PipelinePreview }) {
  const { events, dropped, changed, examples, refused, losses } = preview;
  const steps = Object.entries(dropped);
  if (refused.length > 0)
    return (
      <div role="alert" className="preview-result">
        <p className="strong-bad">Not a pipeline that can be in force:</p>
        <ul className="small mono">
          {refused.map((line) => (
            <li key={line}>
              <Hostile text={line} />
            </li>
          ))}
        </ul>
      </div>
    );
  return (
    <div className="preview-result stack" role="status">
      <p>
        Of {formatCount(events)} events <strong>{formatCount(changed)}</strong> would be changed and{" "}
        <strong>{formatCount(steps.reduce((sum, [, count]) => sum + count, 0))}</strong> would be dropped.
      </p>
      {steps.length > 0 && (
        <ul className="plain-list small">
          {steps.map(([step, count]) => (
            <li key={step}>
              <Hostile text={step} />: {formatCount(count)}
            </li>
          ))}
        </ul>
      )}
      {losses.length > 0 && <Losses losses={losses} />}
      {examples.map((one) => (
        <Example key={one.id} one={one} />
      ))}
    </div>
  );
}

function Example({ one }: { readonly one: PipelinePreview["examples"][number] }) {
  const changes: (readonly [name: string, before: unknown, after: unknown])[] = [];
  for (const name of new Set([...Object.keys(one.before), ...Object.keys(one.after)]))
    changes.push([name, one.before[name], one.after[name]]);
  if (one.class !== undefined) changes.push(["class", one.class[0], one.class[1]]);
  if (one.original !== undefined) changes.push(["original", one.original[0], one.original[1]]);
  return (
    <section aria-label={`Event ${one.id}`}>
      <p className="small">
        <Time iso={one.time} digits={0} /> <Hostile text={one.source} />
        {one.dropped !== undefined && (
          <strong>
            {" "}
            · dropped by <Hostile text={one.dropped} />
          </strong>
        )}
      </p>
      <table className="fields">
        <tbody>
          {changes.map(([name, before, after]) => (
            <tr key={name}>
              <th scope="row">
                <Hostile text={name} />
              </th>
              <td>
                {before === undefined ? <span className="dim">absent</span> : <del>{<Value value={before} />}</del>} →{" "}
                {after === undefined ? <span className="dim">gone</span> : <Value value={after} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Value({ value }: { readonly value: unknown }) {
  return <Hostile text={shorten(typeof value === "string" ? value : JSON.stringify(value), shown_characters)} />;
}
