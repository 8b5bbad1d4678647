import { app, dialog } from 'electron';
import { AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';

export type FailureText = { readonly title: string; readonly detail: string };

/** What a person reads when the agent cannot start: what happened, what it means for their data, what to do. Pure. */
export function describeFailure(error: unknown): FailureText {
  if (error instanceof AppError) {
    const { title, meaning } = ERROR_CATALOGUE[error.code];
    return { title, detail: `${error.message}\n\n${meaning}\n\n${error.hint}\n\n(${error.code})` };
  }
  const { title, meaning, fix } = ERROR_CATALOGUE.internal;
  return { title, detail: `${String((error as Error | undefined)?.message ?? error)}\n\n${meaning}\n\n${fix}` };
}

/** Says why the start failed, on the desktop and in the terminal; resolves with whether to try again. */
export async function askAfterFailure(error: unknown): Promise<boolean> {
  const { title, detail } = describeFailure(error);
  process.stderr.write(`Error: ${title}\n${detail}\n`);
  const { response } = await dialog.showMessageBox({
    type: 'error',
    title: app.getName(),
    message: title,
    detail,
    buttons: ['Try again', 'Quit'],
    defaultId: 0,
    cancelId: 1,
    noLink: true,
  });
  return response === 0;
}
