import { closeSync, openSync } from 'node:fs'

const CONTROLLING_TERMINAL = '/dev/tty'

/**
 * Tells a terminal that was closed from a request to reload, since both come as SIGHUP. What it returns is true once: when the
 * terminal that was there at this call is there no more. (`nohup` cannot be told: Node takes back what its parent has ignored.)
 */
export function watchTerminal(): () => boolean {
  let isThere = hasTerminal()
  return () => {
    const wasThere = isThere
    isThere &&= hasTerminal()
    return wasThere && !isThere
  }
}

/** The kernel takes the controlling terminal from its processes before it sends them SIGHUP. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync(CONTROLLING_TERMINAL, 'r'))
    return true
  } catch {
    return false
  }
}
