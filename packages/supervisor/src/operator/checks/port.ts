import { once } from 'node:events'
import net from 'node:net'
import { type Finding, error } from './finding.ts'

/** Whether the app could listen on PORT. */
export async function checkPort(portVariable: string | undefined, findPortHolder: (port: number) => Promise<string | null>): Promise<Finding[]> {
  if (!portVariable || !/^\d{1,5}$/.test(portVariable)) return []
  const port = Number(portVariable)
  const server = net.createServer()
  try {
    server.listen(port)
    await once(server, 'listening')
    return []
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE') return [error(`The app cannot listen on PORT ${port} (${code ?? 'out of range'}). Choose another.`)]
    const holder = await findPortHolder(port)
    return [error(`PORT ${port} is taken${holder ? ` by ${holder}` : ''}. End that process, or choose another port.`)]
  } finally {
    server.close()
  }
}
