import type { Capacity } from '../../policy/sample.ts'
import type { WorkerSettings } from '../../policy/settings.ts'
import { bytes, count } from '../units.ts'
import { type Finding, warning } from './finding.ts'

/**
 * What a container of this size will not carry, whatever is configured. A workers.max that nobody chose is no promise: the fleet knows its
 * container and stays within it.
 */
export function checkCapacity({ cpus, memoryBytes, source }: Capacity, workers: WorkerSettings, isMaxGiven: boolean): Finding[] {
  const findings: Finding[] = []
  const carried = Math.max(1, Math.ceil(cpus))
  if (isMaxGiven && workers.max > carried && !workers.oversubscribe) {
    const stays = `the fleet stays at ${carried} or below by itself`
    findings.push(
      warning(
        `workers.max is ${workers.max}, but ${count(cpus)} CPUs (${source}) carry ${carried}: ${stays}. Use a larger container, more replicas, or workers.oversubscribe for a test.`,
      ),
    )
  }
  if (workers.min > carried && !workers.oversubscribe)
    findings.push(
      warning(`workers.min is ${workers.min}, more than the ${carried} that ${count(cpus)} CPUs (${source}) carry: they will share cores.`),
    )
  const needed = workers.memoryLimitBytes * workers.min
  if (needed > memoryBytes) {
    const sum = `${workers.min} × ${bytes(workers.memoryLimitBytes)} is more than the ${bytes(memoryBytes)} there are (${source})`
    findings.push(warning(`workers.min × workers.memoryLimit does not fit: ${sum}. Lower one of them.`))
  }
  return findings
}
