import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { KeychainState } from '../../../shared/desktop.ts';
import { useApp } from '../../app-context.ts';
import type { DesktopClient } from '../../data/client.ts';
import { Button, ErrorCard, useTell } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { servicesText } from '../../strings-services.ts';

const text = servicesText.place;
const SHORTEST = 12;

/** Where this desktop keeps keys, when it has no key store of its own: in a plain file, or under a passphrase. */
export function KeyPlace({ level }: { level: 2 | 3 }): VNode | null {
  const { desktop } = useApp().client;
  const [keychain, setKeychain] = useState<KeychainState | null>(null);
  const [isChanging, setIsChanging] = useState(false);
  const read = (): void => {
    setIsChanging(false);
    desktop?.call('desktop.info', {}).then(
      (info) => setKeychain(info.keychain),
      () => undefined,
    );
  };
  useEffect(read, [desktop]);
  if (desktop === null || keychain === null) return null;
  const { state, backend, passphrase } = keychain;
  if (passphrase === 'none' && state === 'strong') return null;
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section class={`key-place key-place-${passphrase}`} aria-labelledby="key-place-title">
      <Icon name={passphrase === 'open' ? 'safe' : passphrase === 'locked' ? 'key' : 'alert'} size={22} />
      <div class="stack grow">
        <div>
          <Heading id="key-place-title">{text.titles[passphrase]}</Heading>
          <p class="muted">{text.texts[passphrase](backend)}</p>
        </div>
        {passphrase === 'locked' ? (
          <Unlock desktop={desktop} onDone={read} />
        ) : passphrase === 'none' || isChanging ? (
          <SetPassphrase desktop={desktop} onDone={read} />
        ) : (
          <div class="row">
            <Button onClick={() => setIsChanging(true)}>{text.change}</Button>
          </div>
        )}
      </div>
    </section>
  );
}

type FormProps = { readonly desktop: DesktopClient; readonly onDone: () => void };

function SetPassphrase({ desktop, onDone }: FormProps): VNode {
  const tell = useTell();
  const [first, setFirst] = useState('');
  const [again, setAgain] = useState('');
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const isShort = first.length < SHORTEST;
  const save = (): void => {
    setAsked(true);
    if (busy || isShort || first !== again) return;
    setBusy(true);
    setError(null);
    desktop
      .call('desktop.setPassphrase', { passphrase: first })
      .then(() => {
        tell.ok(text.done);
        onDone();
      }, setError)
      .finally(() => setBusy(false));
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <div class="service-fields">
        <TextField
          label={text.passphrase}
          type="password"
          value={first}
          onInput={setFirst}
          error={asked && isShort ? text.short(SHORTEST) : null}
        />
        <TextField
          label={text.again}
          type="password"
          value={again}
          onInput={setAgain}
          error={asked && !isShort && first !== again ? text.differs : null}
        />
      </div>
      <p class="small muted">{text.note}</p>
      {error === null ? null : <ErrorCard error={error} />}
      <div class="row">
        <Button icon="key" busy={busy} onClick={save}>
          {busy ? text.encrypting : text.encrypt}
        </Button>
      </div>
      <button type="submit" class="visually-hidden" tabIndex={-1} aria-hidden="true" />
    </form>
  );
}

function Unlock({ desktop, onDone }: FormProps): VNode {
  const tell = useTell();
  const [passphrase, setPassphrase] = useState('');
  const [busy, setBusy] = useState(false);
  const [isForgetting, setIsForgetting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const unlock = (): void => {
    if (busy || passphrase === '') return;
    setBusy(true);
    setError(null);
    desktop
      .call('desktop.unlock', { passphrase })
      .then(() => {
        tell.ok(text.unlocked);
        onDone();
      }, setError)
      .finally(() => setBusy(false));
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        unlock();
      }}
    >
      <div class="service-fields">
        <TextField label={text.passphrase} type="password" value={passphrase} onInput={setPassphrase} />
      </div>
      {error === null ? null : <ErrorCard error={error} />}
      <div class="row">
        <Button kind="primary" icon="key" busy={busy} onClick={unlock}>
          {busy ? text.unlocking : text.unlock}
        </Button>
        <Button kind="quiet" onClick={() => setIsForgetting(true)}>
          {text.forgotten}
        </Button>
      </div>
      <button type="submit" class="visually-hidden" tabIndex={-1} aria-hidden="true" />
      {isForgetting ? (
        <ConfirmDialog
          title={text.forgetTitle}
          text={text.forgetText}
          confirm={text.forget}
          danger
          onConfirm={() => void desktop.call('desktop.forgetPassphrase', {}).then(onDone, tell.fail)}
          onClose={() => setIsForgetting(false)}
        />
      ) : null}
    </form>
  );
}
