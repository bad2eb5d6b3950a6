// Answers of AWS's API in parts of the page: asked for when shown, and again when what they depend on changes.
import { useCallback, useEffect, useState } from "preact/hooks";
import { useKeys } from "../aws/client.js";

/** `{ answer, error, isAsking, again }` of `ask(signal)`. */
export function useAnswer(ask, dependencies) {
  const keys = useKeys();
  const [state, set] = useState({ isAsking: true });
  const [times, more] = useState(0);
  const again = useCallback(() => more((before) => before + 1), []);
  useEffect(() => {
    const stop = new AbortController();
    set((before) => ({ ...before, isAsking: true }));
    ask(stop.signal).then(
      (answer) => set({ answer }),
      (error) => stop.signal.aborted || set({ error }),
    );
    return () => stop.abort();
  }, [...dependencies, keys, times]);
  return { ...state, again };
}

/** The words of an error. */
export function Problem({ error }) {
  return error ? <p class="refused" role="alert">{error.code ? <b>{error.code} </b> : null}{error.message}</p> : null;
}
