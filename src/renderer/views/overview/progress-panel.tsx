import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { displayPath, formatBytes } from '../../../shared/display.ts';
import type { ScanProgress } from '../../../shared/model.ts';
import { fileName } from '../../data/paths.ts';
import { progressShare } from '../../data/progress.ts';
import { formatEta } from '../../data/time.ts';
import { formatCount, plural, strings } from '../../strings.ts';

/** A screen reader hears of progress at most this often. */
const SPEAK_EVERY_MS = 10_000;

/** Folders that are being read: phase, items, bytes, rate, and an estimate once it is honest. */
export function ProgressPanel({ progress }: { progress: readonly ScanProgress[] }): VNode {
  return (
    <section class="card">
      <h2>{strings.overview.reading}</h2>
      <div class="stack">
        {progress.map((one) => (
          <ProgressLine key={one.rootId} progress={one} />
        ))}
      </div>
    </section>
  );
}

function ProgressLine({ progress }: { progress: ScanProgress }): VNode {
  const share = progressShare(progress);
  const percent = share === null ? null : Math.floor(share * 100);
  const words =
    progress.phase === 'listing'
      ? plural(progress.totalFiles, 'file')
      : `${formatCount(progress.doneFiles)} of ${plural(progress.totalFiles, 'file')}, ${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)}`;
  const rate = progress.bytesPerSecond > 0 ? `${formatBytes(progress.bytesPerSecond)}/s` : '';
  const eta = progress.etaMs === null ? '' : formatEta(progress.etaMs);
  const spoken = useSpoken(`${strings.phases[progress.phase]}, ${words}${eta === '' ? '' : `, ${eta}`}`);
  return (
    <div class="progress-line">
      <div class="row between">
        <strong class="wrap">{displayPath(fileName(progress.root))}</strong>
        <span class="muted small">{[strings.phases[progress.phase], eta].filter((one) => one !== '').join(', ')}</span>
      </div>
      <div
        class={percent === null ? 'bar unknown' : 'bar'}
        role="progressbar"
        aria-label={displayPath(progress.root)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent ?? undefined}
        aria-valuetext={spoken}
      >
        <span style={{ width: percent === null ? '30%' : `${(share ?? 0) * 100}%` }} />
      </div>
      <div class="row between small muted numbers">
        <span>{words}</span>
        <span>{rate}</span>
      </div>
    </div>
  );
}

/** A text that changes at most every ten seconds. */
export function useSpoken(text: string): string {
  const [spoken, setSpoken] = useState(text);
  const newest = useRef(text);
  newest.current = text;
  useEffect(() => {
    const timer = setInterval(() => setSpoken(newest.current), SPEAK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return spoken;
}
