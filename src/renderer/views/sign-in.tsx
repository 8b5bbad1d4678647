import type { VNode } from 'preact';
import { useApp } from '../app-context.ts';
import { Button, CopyButton } from '../parts/basics.tsx';
import { Mark } from '../parts/icon.tsx';
import { strings } from '../strings.ts';

const text = strings.signIn;

/** What a browser without a key sees: how to get in. */
export function SignInView(): VNode {
  const { client } = useApp();
  return (
    <main class="sign-in">
      <div class="card sign-in-card">
        <p class="brand">
          <Mark size={32} />
          {strings.product}
        </p>
        <h1>{text.title}</h1>
        <p>{text.lead}</p>
        <p class="muted">{text.steps[0]}</p>
        <div class="command-line">
          <code>{text.command}</code>
          <CopyButton text={text.command} />
        </div>
        <p class="muted">{text.steps[1]}</p>
        <Button kind="primary" onClick={client.retryNow}>
          {text.check}
        </Button>
        <p class="small muted">{text.note}</p>
      </div>
    </main>
  );
}
