/** `path.resolve` for POSIX paths, written out because this folder does without Node: `relative` seen from the absolute `folder`. */
export function resolvePath(folder: string, relative: string): string {
  const whole = relative.startsWith('/') ? relative : `${folder}/${relative}`
  const steps: string[] = []
  for (const step of whole.split('/')) {
    if (step === '..') steps.pop()
    else if (step !== '' && step !== '.') steps.push(step)
  }
  return `/${steps.join('/')}`
}
