/** Names the browser tab after the page. */
import { useEffect } from "react";
import { visibleText } from "../format/text.ts";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${visibleText(title)} · Vedette`;
  }, [title]);
}
