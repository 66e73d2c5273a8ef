import { isRailway } from '../railway.ts'
import { type Finding, warning } from './finding.ts'

const DRAINING = 'RAILWAY_DEPLOYMENT_DRAINING_SECONDS'
/** What a supervisor needs after the drain to end workers and itself. */
const MARGIN_S = 5
const SUPPORTED_LINES = ['22', '24', '26']

/** What the platform around us does to a drain. */
export function checkPlatform(environment: NodeJS.ProcessEnv, drainTimeoutMs: number, nodeVersion: string): Finding[] {
  return [...checkNode(nodeVersion), ...checkWrapper(environment), ...(isRailway(environment) ? checkRailway(environment, drainTimeoutMs) : [])]
}

function checkNode(version: string): Finding[] {
  if (SUPPORTED_LINES.includes(version.split('.')[0] ?? '')) return []
  return [warning(`Node ${version} is not one of the lines that are tested (${SUPPORTED_LINES.join(', ')}); use the newest of one of them.`)]
}

function checkRailway(environment: NodeJS.ProcessEnv, drainTimeoutMs: number): Finding[] {
  const neededS = Math.ceil(drainTimeoutMs / 1000) + MARGIN_S
  const given = environment[DRAINING] ?? ''
  if (given === '' || Number(given) === 0) {
    const why = 'Railway sends SIGKILL right after SIGTERM, so that every deploy cuts what is in flight'
    return [warning(`${DRAINING} is ${given === '' ? 'not set' : '0'}: ${why}. Set it to ${neededS}.`)]
  }
  if (Number(given) >= neededS) return []
  return [
    warning(
      `${DRAINING} is ${given} s, too short for drain.timeout (${drainTimeoutMs / 1000} s): a drain is cut before its end. Set it to ${neededS}.`,
    ),
  ]
}

/** Run as a script of package.json, the package manager stands between the platform and us. `npx` names itself there and is only how people call `check`. */
function checkWrapper(environment: NodeJS.ProcessEnv): Finding[] {
  const script = environment['npm_lifecycle_event']
  if (!script || script === 'npx') return []
  const manager = /^(\w+)\//.exec(environment['npm_config_user_agent'] ?? '')?.[1] ?? 'npm'
  const instead = 'node node_modules/stationmaster/dist/cli.js start'
  return [
    warning(
      `This was started by ${manager} (script "${script}"), which may not pass SIGTERM on, so that nothing drains. As the start command use: ${instead}`,
    ),
  ]
}
