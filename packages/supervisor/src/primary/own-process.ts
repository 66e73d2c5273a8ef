import { readFile, readdir } from 'node:fs/promises'

/** What this process may run short of changes slowly. */
const TICKS_PER_LOOK = 10
/** From here on so few are left that forks fail next. */
const SCARCE_SHARE = 0.9
/** As many are free again before it is worth another word. */
const ROOMY_SHARE = 0.8

type Watch = () => Promise<string | null>

/** Looks after this process itself, from time to time, until the returned function is called. */
export function watchOwnProcess(tickMs: number, warn: (sentence: string) => void): () => void {
  // Those that end below process 1 of a container, and have nobody else, are its to bury; Node buries only its own.
  const watches = [watchDescriptors(), ...(process.pid === 1 ? [watchZombies(process.pid)] : [])]
  const look = async (watch: Watch): Promise<void> => {
    const sentence = await watch()
    if (sentence) warn(sentence)
  }
  const timer = setInterval(() => {
    // Where the system does not tell, there is nothing to say.
    for (const watch of watches) look(watch).catch(() => {})
  }, tickMs * TICKS_PER_LOOK)
  timer.unref()
  return () => clearInterval(timer)
}

function watchDescriptors(): Watch {
  let told = false
  return async () => {
    const { share, count } = await openDescriptors()
    if (share < ROOMY_SHARE) told = false
    if (told || share < SCARCE_SHARE) return null
    told = true
    return `The supervisor has ${count} open that it may have; when there are none left, no worker can be started. Raise \`ulimit -n\`.`
  }
}

async function openDescriptors(): Promise<{ readonly share: number; readonly count: string }> {
  try {
    const { length: open } = await readdir('/proc/self/fd')
    const limits = await readFile('/proc/self/limits', 'utf8')
    const limit = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
    return { share: open / limit, count: `${open} of the ${limit} file descriptors` }
  } catch (error) {
    // To count them takes one more, so that they cannot be counted is the answer.
    if ((error as NodeJS.ErrnoException).code === 'EMFILE') return { share: 1, count: 'all of the file descriptors' }
    throw error
  }
}

/** Tells of processes that have ended below this one and that it never buries; again when they have doubled. */
export function watchZombies(pid: number, procFolder = '/proc'): Watch {
  let before: ReadonlySet<number> = new Set()
  let told = 0
  return async () => {
    const zombies = await zombiesBelow(pid, procFolder)
    // A worker that has ended just now is seen as one for a moment.
    const lasting = [...zombies].filter((zombie) => before.has(zombie)).length
    before = zombies
    if (lasting < Math.max(1, told * 2)) return null
    told = lasting
    return `${lasting} ended ${lasting === 1 ? 'process is' : 'processes are'} never cleared away, because the supervisor is process 1 of its container, and takes care of workers only. Start the container with an init (\`docker run --init\`, or tini).`
  }
}

async function zombiesBelow(pid: number, procFolder: string): Promise<ReadonlySet<number>> {
  const found = new Set<number>()
  for (const name of await readdir(procFolder)) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`${procFolder}/${name}/stat`, 'latin1').catch(() => '')
    // The name stands in brackets and may hold anything; state and parent follow it.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' && Number(parent) === pid) found.add(Number(name))
  }
  return found
}
