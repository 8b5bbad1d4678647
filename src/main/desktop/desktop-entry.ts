/** A file as the Desktop Entry Specification 1.5 wants it. Pure. */
export function desktopEntry(command: readonly string[]): string {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Angles',
    'Comment=Keeps every version of your notes and decisions',
    `Exec=${[...command, '--hidden'].map(quoteArgument).join(' ')}`,
    'Terminal=false',
    'X-GNOME-Autostart-enabled=true',
    '',
  ].join('\n');
}

/** Quoting of the `Exec` key: reserved characters are quoted, `%` is doubled, backslashes of strings come on top. */
function quoteArgument(argument: string): string {
  const percent = argument.replaceAll('%', '%%');
  if (!/[\s"'\\><~|&;$*?#()`]/.test(percent)) return percent;
  return `"${percent.replace(/["`$\\]/g, '\\$&')}"`.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
