import { parentPort, workerData } from 'node:worker_threads'
import { type Search, fuzz } from './simulator/fuzz.ts'

/** One of several threads that search seeds: gets its share as `workerData`, answers once, ends. */
parentPort?.postMessage(fuzz(workerData as Search))
