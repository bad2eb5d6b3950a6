// Keys: given by the person before the page, kept in its memory, gone with it.
import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys, useTheseKeys } from "../aws/client.js";
import { canSign } from "../aws/sign.js";
import { useFeed } from "../feed.js";

/** What the page may do, as a button that changes it. */
export function KeysButton() {
  const { server } = useFeed();
  const keys = useKeys();
  const [isOpen, open] = useState(false);
  if (!server) return null;
  const words = keys ? (server.signed ? `Signed as ${keys.id}` : "Any keys do") : "Read-only: sign in";
  const title = server.signed ? "Keys sign what is read and changed" : "This server does not check signatures";
  return (
    <>
      <button type="button" class={keys ? "" : "primary"} title={title} onClick={() => open(true)}>{words}</button>
      {isOpen && <KeysDialog close={() => open(false)} server={server} hasKeys={Boolean(keys)} />}
    </>
  );
}

function KeysDialog({ close, server, hasKeys }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  const take = (event) => {
    event.preventDefault();
    const { id, secret, token } = Object.fromEntries(new FormData(event.target));
    useTheseKeys({ id: id.trim(), secret: secret.trim(), token: token.trim() });
    close();
  };
  const forget = () => {
    useTheseKeys(null);
    close();
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <p>{server.signed
        ? "This server checks signatures. The page signs every call with your keys, so that it may do what you may. They stay in the memory of this page and are gone when you close it."
        : "This server does not check signatures: any keys do, and the page signs with some of its own. Other keys matter only for policies between accounts."}
      </p>
      {!canSign() && <p class="refused" role="alert">Browsers sign on https and on this machine only. Open the console at an https address (--tls-listen).</p>}
      <form onSubmit={take} autocomplete="off">
        <label>Access key ID <input name="id" required spellcheck={false} autocomplete="off" /></label>
        <label>Secret access key <input name="secret" type="password" required autocomplete="off" /></label>
        <label>Session token, if there is one <input name="token" spellcheck={false} autocomplete="off" /></label>
        <p class="buttons">
          <button class="primary" disabled={!canSign()}>Use these keys</button>
          {hasKeys && server.signed && <button type="button" onClick={forget}>Forget them</button>}
          <button type="button" onClick={close}>Cancel</button>
        </p>
      </form>
    </dialog>
  );
}

/** What stands in place of something that needs keys. */
export function NeedsKeys({ children }) {
  const keys = useKeys();
  useFeed();
  return keys ? children : <p class="calm waiting">This is read with your own keys: sign in above to see it.</p>;
}
