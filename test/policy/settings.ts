import type { ScalingSettings } from '../../packages/supervisor/src/policy/settings.ts'

const seconds = (count: number): number => count * 1000

/** The scaling defaults as the contract has them. */
export const defaultScaling: ScalingSettings = {
  mode: 'auto',
  up: {
    cpu: { threshold: 0.7, forMs: seconds(60) },
    memory: { threshold: 0.8, forMs: seconds(60) },
    queue: { threshold: 100, forMs: seconds(30) },
    p95: { threshold: 2000, forMs: seconds(120) },
    eventLoopDelay: { threshold: 100, forMs: seconds(30) },
    eventLoopUtilization: { threshold: 0.8, forMs: seconds(30) },
  },
  down: {
    cpu: { threshold: 0.3, forMs: seconds(300) },
    memory: { threshold: 0.4, forMs: seconds(300) },
    queue: { threshold: 10, forMs: seconds(300) },
    p95: { threshold: 500, forMs: seconds(300) },
    eventLoopDelay: { threshold: 20, forMs: seconds(300) },
    eventLoopUtilization: { threshold: 0.3, forMs: seconds(300) },
  },
  cooldownUpMs: seconds(60),
  cooldownDownMs: seconds(300),
  stepUp: 'proportional',
  stepDown: 1,
  rateUp: null,
  rateDown: null,
  flapPenalty: true,
  predict: false,
  warmUpMs: 0,
  surge: { eventLoopUtilization: 0.95, queue: 300, forMs: seconds(2) },
  schedule: [],
  heldWhileIdle: ['queue', 'p95'],
}
