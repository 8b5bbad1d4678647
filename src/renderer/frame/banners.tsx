import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../app-context.ts';
import { useStore } from '../data/store.ts';
import { formatClock } from '../data/time.ts';
import { useStatus } from '../data/use-status.ts';
import { Button } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { strings } from '../strings.ts';

const text = strings.frame;

/** The agent went away: calm, because the data on the page stays readable and nothing of it is lost. */
export function LostBanner(): VNode | null {
  const { client } = useApp();
  const connection = useStore(client.connection);
  const [shown, setShown] = useState(false);
  const lost = connection.state === 'lost';
  // A blink of a second is not worth a word.
  useEffect(() => {
    if (!lost) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), 700);
    return () => clearTimeout(timer);
  }, [lost]);
  if (!shown || connection.state !== 'lost') return null;
  return (
    <div class="banner" role="status">
      <Icon name="off" />
      <p>
        <strong>{text.lostTitle}.</strong> {text.lostText(formatClock(connection.sinceMs))}
      </p>
      <Button onClick={client.retryNow}>{text.tryNow}</Button>
    </div>
  );
}

/** So that nobody takes the sample for their own. */
export function SampleBanner(): VNode | null {
  if (useStatus().data?.isSample !== true) return null;
  return (
    <div class="banner sample" role="status">
      <Icon name="archive" />
      <p>
        <strong>{strings.sample.title}</strong> {strings.sample.text}
      </p>
    </div>
  );
}
