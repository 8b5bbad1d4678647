import { Argument, type Command, type Option } from 'commander';
import type { Runner } from './define.ts';
import { define } from './define.ts';

/** A place in the command line and the words that may follow it. */
type Node = {
  readonly path: readonly string[];
  readonly commands: readonly Command[];
  readonly options: readonly Option[];
};
const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function addCompletion(program: Command, runner: Runner): void {
  const command = define(
    program,
    runner,
    {
      usage: 'completion',
      summary: 'Print a completion script for your shell',
      examples: [
        'angles completion bash > ~/.local/share/bash-completion/completions/angles',
        'angles completion zsh > "$fpath[1]/_angles"',
        'angles completion fish > ~/.config/fish/completions/angles.fish',
      ],
      json: false,
    },
    async (context, [shell = '']) => {
      const nodes = listNodes(program, []);
      const script = shell === 'bash' ? bash(nodes) : shell === 'zsh' ? zsh(nodes) : fish(nodes);
      context.io.stdout.write(script);
    },
  );
  command.addArgument(new Argument('<shell>', 'your shell').choices([...SHELLS]));
}

function listNodes(command: Command, path: readonly string[]): Node[] {
  const own: Node = {
    path,
    commands: command.commands.filter((one) => one.name() !== 'help'),
    options: command.options.filter((one) => !one.hidden),
  };
  return [own, ...own.commands.flatMap((child) => listNodes(child, [...path, child.name()]))];
}

const flagsOf = (option: Option): string[] =>
  [option.long, option.short].filter((flag) => flag !== undefined && flag !== null);
const takesPath = (option: Option): boolean => /<path>/.test(option.flags);
const quote = (text: string): string => text.replace(/'/g, "'\\''");

/** What a script needs of the tree: per place its words, per option its values. */
function bash(nodes: readonly Node[]): string {
  const words = nodes.map(({ path, commands, options }) => {
    const all = [...commands.map((one) => one.name()), ...options.flatMap(flagsOf), '--help'];
    return `    '${path.join(' ')}') words='${all.join(' ')}' ;;`;
  });
  const values = nodes.flatMap(({ path, options }) =>
    options
      .filter((one) => one.required || one.optional)
      .flatMap((option) =>
        flagsOf(option).map((flag) => `    '${[...path, flag].join(' ')}') ${valueCase(option)} ;;`),
      ),
  );
  const known = nodes.flatMap(({ path }) => (path.length === 0 ? [] : [`'${path.join(' ')}'`]));
  return `# bash completion of angles
_angles() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place='' word next words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    next="\${place:+$place }$word"
    case "$next" in
      ${known.join('|')}) place="$next" ;;
    esac
  done
  case "\${place:+$place }$previous" in
${values.join('\n')}
  esac
  case "$place" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ "$current" != -* ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _angles angles
`;
}

function valueCase(option: Option): string {
  if (option.argChoices !== undefined)
    return `COMPREPLY=($(compgen -W '${option.argChoices.join(' ')}' -- "$current")); return`;
  return takesPath(option) ? 'COMPREPLY=($(compgen -f -- "$current")); return' : 'return';
}

function zsh(nodes: readonly Node[]): string {
  const places = nodes.map(({ path, commands, options }) => {
    const described = commands.map((one) => `'${quote(`${one.name()}:${one.summary()}`)}'`);
    const flags = options.flatMap((option) =>
      flagsOf(option).map((flag) => `'${quote(`${flag}:${option.description}`)}'`),
    );
    return `    '${path.join(' ')}') commands=(${described.join(' ')}); flags=(${flags.join(' ')}) ;;`;
  });
  const known = nodes.flatMap(({ path }) => (path.length === 0 ? [] : [`'${path.join(' ')}'`]));
  const values = nodes.flatMap(({ path, options }) =>
    options.flatMap((option) =>
      flagsOf(option).flatMap((flag) =>
        option.argChoices === undefined
          ? []
          : [`    '${[...path, flag].join(' ')}') compadd -- ${option.argChoices.join(' ')}; return ;;`],
      ),
    ),
  );
  return `#compdef angles
# zsh completion of angles
_angles() {
  local place='' word next index
  local -a commands flags
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    next="\${place:+$place }$word"
    case "$next" in
      ${known.join('|')}) place="$next" ;;
    esac
  done
  case "\${place:+$place }\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$place" in
${places.join('\n')}
  esac
  (( \${#commands} )) && _describe 'command' commands
  _describe 'option' flags
  _files
}
if [ "$funcstack[1]" = "_angles" ]; then _angles "$@"; else compdef _angles angles; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const here = `-n '__angles_at "${path.join(' ')}"'`;
    return [
      ...commands.map((one) => `complete -c angles ${here} -a ${one.name()} -d '${quote(one.summary())}'`),
      ...options.map((option) => {
        const long = option.long === undefined ? '' : ` -l ${option.long?.slice(2)}`;
        const short = option.short === undefined ? '' : ` -s ${option.short?.slice(1)}`;
        const value =
          option.argChoices === undefined ? (option.required ? ' -r' : '') : ` -xa '${option.argChoices.join(' ')}'`;
        return `complete -c angles ${here}${long}${short}${value} -d '${quote(option.description)}'`;
      }),
    ];
  });
  const known = nodes.flatMap(({ path }) => (path.length === 0 ? [] : [`'${path.join(' ')}'`]));
  return `# fish completion of angles
function __angles_at
  set -l place ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$place $word")
    if contains -- "$next" ${known.join(' ')}
      set place "$next"
    end
  end
  test "$place" = "$argv[1]"
end
${lines.join('\n')}
`;
}
