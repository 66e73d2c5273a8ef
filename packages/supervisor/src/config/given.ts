import { isPlain, plainCopy } from './plain.ts'

/** Whether the options themselves say this (`workers.max`), and not a default. For advice: what nobody chose is nothing to warn of. */
export function isGiven(options: unknown, path: string): boolean {
  let value = plainCopy(options)
  for (const name of path.split('.')) value = isPlain(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value !== undefined
}
