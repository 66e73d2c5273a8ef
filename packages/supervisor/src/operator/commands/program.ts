import { Command } from 'commander'
import type { ExitCode } from '../exit-code.ts'
import type { StartFlags } from './start.ts'
import type { CommandContext } from './context.ts'
import type { ControlFlag } from './control-path.ts'
import type { ExplainFlags } from './explain.ts'
import type { CheckFlags } from './check.ts'
import type { SimulateFlags } from './simulate.ts'

type Json = { readonly json?: boolean }

const EXAMPLES = `
Examples:
  stationmaster start dist/server.js              run a server that calls listen(), from 1 to 10 workers
  stationmaster start server.js --max 4 -- --verbose
  stationmaster status                            the fleet at a glance
  stationmaster explain --last 3                  why it has the size it has
  stationmaster reload                            new code, no request lost
  stationmaster simulate monday.json              a day of load in a few seconds, without a server
  stationmaster scale 4                           by hand; \`scale auto\` gives it back to the load

Exit codes: 0 done, 1 the app failed, 2 usage or configuration, 3 no supervisor to talk to.`

/** The command line as a table. Each command loads what it needs only when it runs; `ended` gets its exit code. */
export function buildProgram(context: CommandContext, ended: (code: ExitCode) => void): Command {
  const program = new Command('stationmaster')
    .description('Supervises a Node server: scales its workers by load, drains them so that nothing is lost, explains every decision.')
    .version(context.version)
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError(true)
    .exitOverride()
  addStart(program, context, ended)
  addQuestions(program, context, ended)
  addRequests(program, context, ended)
  addPreparation(program, context, ended)
  return program
}

type Ended = (code: ExitCode) => void

const withControl = (command: Command): Command => command.option('--control <path>', 'control socket of the supervisor')

function addStart(program: Command, context: CommandContext, ended: Ended): void {
  withControl(program.command('start'))
    .description('run the app under supervision; what follows -- goes to the app')
    .argument('[entry]', 'the file that starts the server; may stand in the config file')
    .option('--config <file>', 'config file (default: stationmaster.config.* in this folder)')
    .option('--min <n>', 'fewest workers')
    .option('--max <n>', 'most workers')
    .option('--shadow', 'decide and explain, but never act')
    .option('--admin <host:port>', 'serve the dashboard, metrics, status and probes over HTTP there')
    .option('--log <format>', 'json or pretty')
    .action(async (entry: string | undefined, flags: StartFlags) => ended(await (await import('./start.ts')).start(context, entry, flags)))
}

function addQuestions(program: Command, context: CommandContext, ended: Ended): void {
  withControl(program.command('status'))
    .description('workers, load and the last decision')
    .option('--json', 'as JSON')
    .action(async (flags: ControlFlag & Json) => ended(await (await import('./status.ts')).status(context, flags)))
  withControl(program.command('explain'))
    .description('why the fleet has the size it has, and the last decisions')
    .option('--last <n>', 'so many decisions', '5')
    .option('--json', 'as JSON')
    .option('--recording <file>', 'write the last minutes to a file instead, each event as one line of JSON')
    .action(async (flags: ExplainFlags) => ended(await (await import('./explain.ts')).explain(context, flags)))
  withControl(program.command('top'))
    .description('status, redrawn every second; q ends it')
    .action(async (flags: ControlFlag) => ended(await (await import('./top.ts')).top(context, flags)))
}

function addRequests(program: Command, context: CommandContext, ended: Ended): void {
  withControl(program.command('scale'))
    .description('set the number of workers by hand, or give it back to the load')
    .argument('<n|auto>')
    .action(async (workers: string, flags: ControlFlag) => ended(await (await import('./ask.ts')).scale(context, workers, flags)))
  withControl(program.command('reload'))
    .description('replace every worker, start before stop; waits until it is done')
    .action(async (flags: ControlFlag) => ended(await (await import('./ask.ts')).reload(context, flags)))
  withControl(program.command('budget'))
    .description('change database.budget: connections for all workers of all replicas')
    .argument('<connections>')
    .action(async (connections: string, flags: ControlFlag) => ended(await (await import('./ask.ts')).budget(context, connections, flags)))
  withControl(program.command('drain'))
    .description('let one worker finish its work and go')
    .argument('<worker id>')
    .action(async (workerId: string, flags: ControlFlag) => ended(await (await import('./ask.ts')).drain(context, workerId, flags)))
}

function addPreparation(program: Command, context: CommandContext, ended: Ended): void {
  withControl(program.command('check'))
    .description('look for faults in config, container, services and platform, without starting anything')
    .argument('[entry]')
    .option('--config <file>', 'config file (default: stationmaster.config.* in this folder)')
    .option('--json', 'as JSON')
    .action(async (entry: string | undefined, flags: CheckFlags) => ended(await (await import('./check.ts')).check(context, entry, flags)))
  program
    .command('init')
    .description('write stationmaster.config.ts')
    .option('--railway', 'print what to set on Railway, even where it is not detected')
    .action(async (flags: { readonly railway?: boolean }) => ended(await (await import('./init.ts')).init(context, flags)))
  program
    .command('simulate')
    .description('try the scaling policy in virtual time: on a scenario, on a trace of load, on a recording')
    .argument('[scenario.json|trace.csv|journal.jsonl]')
    .option(
      '--config <file>',
      'config file (default: stationmaster.config.* in this folder); given again, others are shown beside it',
      (file: string, files: readonly string[] | undefined): readonly string[] => [...(files ?? []), file],
    )
    .option('--seed <n>', "another run of chance than the scenario's")
    .option('--json', 'decisions, timeline and summary as JSON')
    .option('--compare', 'let pm2-autoscale, Watt and the Kubernetes HPA decide on the same load too')
    .option('--report <out.html>', 'write one page with curves, decisions and costs')
    .option('--fuzz <n>', 'instead: try n lives of load, faults and operators by chance, and show one that breaks a rule')
    .action(async (file: string | undefined, flags: SimulateFlags) =>
      ended(await (await import('./simulate.ts')).runSimulation(context, file, flags)),
    )
}
