/** The small pieces that every view is made of. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { displayText } from '../../shared/display.ts';
import { useApp } from '../app-context.ts';
import { describeError, splitCommands } from '../data/describe-error.ts';
import { formatAgo, formatFull, formatWhen } from '../data/time.ts';
import { strings } from '../strings.ts';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'neutral' | 'ok' | 'info' | 'warn' | 'error' | 'accent';

/** A state in a word, told by shape and by text as well as by colour. */
export function Badge({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ComponentChildren }): VNode {
  return (
    <span class={`badge tone-${tone}`}>
      {icon === undefined ? null : <Icon name={icon} size={13} />}
      {children}
    </span>
  );
}

type ButtonProps = {
  readonly onClick: () => void;
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly icon?: IconName;
  readonly busy?: boolean;
  readonly disabled?: boolean;
  /** The name for a screen reader when the text does not stand alone. */
  readonly label?: string;
};
export function Button(props: ButtonProps): VNode {
  const { onClick, children, kind = 'plain', icon, busy = false, disabled = false, label } = props;
  return (
    <button
      type="button"
      class={`button ${kind}`}
      disabled={disabled}
      aria-disabled={busy ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
      aria-label={label}
      onClick={() => {
        if (!busy) onClick();
      }}
    >
      {icon === undefined ? null : <Icon name={icon} size={16} />}
      <span>{children}</span>
    </button>
  );
}

export function IconButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }): VNode {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** A button that puts text into the clipboard and says so. */
export function CopyButton({ text, label = strings.frame.copy }: { text: string; label?: string }): VNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <Button kind="quiet" icon={copied ? 'check' : 'copy'} onClick={copy}>
      <span aria-live="polite">{copied ? strings.frame.copied : label}</span>
    </Button>
  );
}

/** A sentence in which commands stand out and can be copied. */
export function Fix({ text }: { text: string }): VNode {
  const pieces = splitCommands(displayText(text));
  const commands = pieces.filter((piece) => piece.command);
  return (
    <div class="fix">
      <p>{pieces.map((piece) => (piece.command ? <code key={piece.text}>{piece.text}</code> : piece.text))}</p>
      {commands.map((piece) => (
        <CopyButton key={piece.text} text={piece.text} label={strings.frame.copyCommand} />
      ))}
    </div>
  );
}

/** Says what happened, what it means for the data, and carries the button that mends it. */
export function ErrorCard({ error, onRetry }: { error: unknown; onRetry?: () => void }): VNode {
  const text = describeError(error);
  const report = [`${text.code}: ${text.title}`, text.message ?? '', new Date().toISOString()].join('\n');
  const onMend = onRetry ?? (text.code === 'page' ? () => location.reload() : undefined);
  return (
    <div class="card error-card" role="alert">
      <Icon name="error" size={22} />
      <div class="stack">
        <h2>{text.title}</h2>
        {text.message === null ? null : <p class="wrap">{displayText(text.message)}</p>}
        <p class="muted">{text.meaning}</p>
        <Fix text={text.fix} />
        <div class="row">
          {onMend === undefined ? null : (
            <Button kind="primary" onClick={onMend}>
              {onRetry === undefined ? strings.errors.reload : strings.frame.retry}
            </Button>
          )}
          <CopyButton text={report} label={strings.frame.copyReport} />
          <code class="muted small">{text.code}</code>
        </div>
      </div>
    </div>
  );
}

type EmptyProps = { icon: IconName; title: string; text: string; children?: ComponentChildren };
/** A place without content explains itself and offers the next step. */
export function Empty({ icon, title, text, children }: EmptyProps): VNode {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={28} />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {children === undefined ? null : <div class="row center">{children}</div>}
    </div>
  );
}

/** The shape of what is coming, while it is coming. */
export function Skeleton({ rows = 6, tall = false }: { rows?: number; tall?: boolean }): VNode {
  return (
    <div class={tall ? 'skeleton tall' : 'skeleton'} role="status" aria-label={strings.frame.loading}>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class={`bone bone-${index % 4}`} />
      ))}
    </div>
  );
}

/** The present, renewed every half minute while the page is seen. */
export function useNow(): number {
  const [nowMs, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, 30_000);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

/** A time for a column: short, with the whole in its title. */
export function When(props: { timeMs: number; ago?: boolean; seconds?: boolean }): VNode {
  const { timeMs, ago = false, seconds = false } = props;
  const nowMs = useNow();
  return (
    <time dateTime={new Date(timeMs).toISOString()} title={formatFull(timeMs)}>
      {ago ? formatAgo(timeMs, nowMs) : formatWhen(timeMs, nowMs, undefined, seconds)}
    </time>
  );
}

type HeadProps = { title: ComponentChildren; lead?: ComponentChildren; children?: ComponentChildren };
/** The head of a view: what it is, and what can be done here. */
export function ViewHead({ title, lead, children }: HeadProps): VNode {
  return (
    <header class="view-head">
      <div class="view-title">
        <h1 tabIndex={-1}>{title}</h1>
        {lead === undefined ? null : <p class="muted">{lead}</p>}
      </div>
      {children === undefined ? null : <div class="row actions">{children}</div>}
    </header>
  );
}

/** Tells a failure of an action at the edge of the page. */
export function useTell(): {
  ok: (text: string, action?: { label: string; run: () => void }) => void;
  /** A failure that came as a value. */
  problem: (text: string) => void;
  fail: (error: unknown) => void;
} {
  const { notice } = useApp();
  return {
    ok: (text, action) => notice.set({ tone: 'ok', text, ...(action === undefined ? {} : { action }) }),
    problem: (text) => notice.set({ tone: 'error', text }),
    fail: (error) => {
      const { title, message } = describeError(error);
      notice.set({ tone: 'error', text: message === null ? title : `${title} ${message}` });
    },
  };
}
